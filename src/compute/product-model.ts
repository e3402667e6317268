/** Names of the graph's inputs and its output; blocks count from 0. */
export const modelLeft = (block: number): string => `A${block}`
export const modelRight = (block: number): string => `B${block}`
export const MODEL_START = 'S'
export const MODEL_OUTPUT = 'C'

/** The lowest that any ONNX Runtime of the last years reads, and that has the operator as it is used. */
const IR_VERSION = 8
const OPSET_VERSION = 13
const ELEMENT_TYPE_FLOAT = 1
const WIRE_VARINT = 0
const WIRE_BYTES = 2

/** Field numbers of the messages. @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const MODEL = { irVersion: 1, graph: 7, opsetImport: 8 } as const
const OPSET = { version: 2 } as const
const GRAPH = { node: 1, name: 2, input: 11, output: 12 } as const
const NODE = { input: 1, output: 2, opType: 4 } as const
const VALUE_INFO = { name: 1, type: 2 } as const
const TYPE = { tensorType: 1 } as const
const TENSOR_TYPE = { elementType: 1, shape: 2 } as const
const SHAPE = { dim: 1 } as const
const DIM = { param: 2 } as const

/** Bytes of a message or of some of its fields. */
type Bytes = readonly number[]

/**
 * Encodes an ONNX model that computes C = Σ Aᵢ · Bᵢ, or C = S + Σ Aᵢ · Bᵢ, for any shapes: Aᵢ is [m × kᵢ], Bᵢ [kᵢ × n], S and C
 * [m × n], all row-major float32. Each product is added to the sum of those before it.
 *
 * @param blocks how many products, from 1
 */
export function encodeProductModel({
  blocks,
  accumulates
}: {
  blocks: number
  accumulates: boolean
}): Uint8Array<ArrayBuffer> {
  const dim = (name: string) => textField(DIM.param, name)
  const sum = { dims: [dim('m'), dim('n')] }
  const inputs = Array.from({ length: blocks }, (_, block) => [
    { name: modelLeft(block), dims: [dim('m'), dim(`k${block}`)] },
    { name: modelRight(block), dims: [dim(`k${block}`), dim('n')] }
  ]).flat()
  if (accumulates) inputs.push({ name: MODEL_START, ...sum })
  const nodes = Array.from({ length: blocks }, (_, block) => {
    const before = block > 0 ? sumName(block - 1) : accumulates ? MODEL_START : undefined
    return [
      ...textField(NODE.input, modelLeft(block)),
      ...textField(NODE.input, modelRight(block)),
      ...(before === undefined ? [] : textField(NODE.input, before)),
      ...textField(NODE.output, block === blocks - 1 ? MODEL_OUTPUT : sumName(block)),
      ...textField(NODE.opType, before === undefined ? 'MatMul' : 'Gemm')
    ]
  })
  const graph = [
    ...nodes.flatMap((node) => messageField(GRAPH.node, node)),
    ...textField(GRAPH.name, 'product'),
    ...inputs.flatMap(({ name, dims }) => messageField(GRAPH.input, valueInfo(name, dims))),
    ...messageField(GRAPH.output, valueInfo(MODEL_OUTPUT, sum.dims))
  ]
  return Uint8Array.from([
    ...varintField(MODEL.irVersion, IR_VERSION),
    ...messageField(MODEL.opsetImport, varintField(OPSET.version, OPSET_VERSION)),
    ...messageField(MODEL.graph, graph)
  ])
}

/** The sum of the products up to a block, within the graph. */
function sumName(block: number): string {
  return `C${block}`
}

function valueInfo(name: string, dims: readonly Bytes[]): Bytes {
  const shape = dims.flatMap((dim) => messageField(SHAPE.dim, dim))
  const tensorType = [
    ...varintField(TENSOR_TYPE.elementType, ELEMENT_TYPE_FLOAT),
    ...messageField(TENSOR_TYPE.shape, shape)
  ]
  return [
    ...textField(VALUE_INFO.name, name),
    ...messageField(VALUE_INFO.type, messageField(TYPE.tensorType, tensorType))
  ]
}

function textField(field: number, text: string): Bytes {
  return messageField(field, [...new TextEncoder().encode(text)])
}

function messageField(field: number, message: Bytes): Bytes {
  return [...openField(field, message.length), ...message]
}

/** The head of a field whose `byteLength` bytes follow. */
function openField(field: number, byteLength: number): Bytes {
  return [...varint(field * 8 + WIRE_BYTES), ...varint(byteLength)]
}

function varintField(field: number, value: number): Bytes {
  return [...varint(field * 8 + WIRE_VARINT), ...varint(value)]
}

/** By division: a dimension may have more than 32 bits. */
function varint(value: number): Bytes {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return [...bytes, rest]
}
