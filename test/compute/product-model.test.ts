import { expect, test } from 'vitest'
import { encodeProductModel } from '../../src/compute/product-model.ts'

// What ONNX Runtime makes of them is tested with it (fast-product.test.ts); the bytes must not change unnoticed.
test.each([
  [1, false, 'MatMul'],
  [1, true, 'Gemm'],
  [3, true, 'B2']
])('the model of %s products that adds (%s) keeps its bytes', (blocks, accumulates, operator) => {
  const model = Buffer.from(encodeProductModel({ blocks, accumulates }))
  expect(model.includes(operator)).toBe(true)
  expect(model.toString('base64')).toMatchSnapshot()
})
