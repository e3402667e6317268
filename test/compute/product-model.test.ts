import { expect, test } from 'vitest'
import { encodeProductModel } from '../../src/compute/product-model.ts'

// What ONNX Runtime makes of them is tested with it (fast-product.test.ts); the bytes must not change unnoticed.
test.each([
  [false, 'MatMul'],
  [true, 'Gemm']
])('the model of a product that adds (%s) keeps its bytes', (accumulates, operator) => {
  const model = Buffer.from(encodeProductModel({ accumulates }))
  expect(model.includes(operator)).toBe(true)
  expect(model.toString('base64')).toMatchSnapshot()
})
