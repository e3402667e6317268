import { EXIT_CODES, SwarmError } from '../errors.ts'

/** Names of the graph's input and output. */
export const MODEL_INPUT = 'A'
export const MODEL_OUTPUT = 'C'

/** A protobuf message, and so a model with its B inside, has to stay below this. @see https://protobuf.dev/programming-guides/proto-limits/ */
export const MODEL_BYTES_MAX = 2 ** 31 - 1

const INITIALIZER = 'B'
/** The lowest that any ONNX Runtime of the last years reads, and that has the operator as it is used. */
const IR_VERSION = 8
const OPSET_VERSION = 13
const ELEMENT_TYPE_FLOAT = 1
const WIRE_VARINT = 0
const WIRE_BYTES = 2

/** Field numbers of the messages. @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const MODEL = { irVersion: 1, graph: 7, opsetImport: 8 } as const
const OPSET = { version: 2 } as const
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const
const NODE = { input: 1, output: 2, opType: 4 } as const
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 } as const
const VALUE_INFO = { name: 1, type: 2 } as const
const TYPE = { tensorType: 1 } as const
const TENSOR_TYPE = { elementType: 1, shape: 2 } as const
const SHAPE = { dim: 1 } as const
const DIM = { value: 1, param: 2 } as const

/** Bytes of a message or of some of its fields. */
type Bytes = readonly number[]

/**
 * Encodes an ONNX model that computes C = A · B with B inside: A is [m × k] with any m, B [k × n], C [m × n], all
 * row-major float32.
 *
 * @param b [k × n], copied into the model
 * @param k from 1
 * @param n from 1
 * @throws SwarmError with code MATRIX_TOO_LARGE when the model would not stay within {@link MODEL_BYTES_MAX}
 */
export function encodeMatMulModel(b: Float32Array, k: number, n: number): Uint8Array<ArrayBuffer> {
  // B is the last field of the last field of the last field, so that everything else is a prefix of it.
  const tensorHead = [
    ...varintField(TENSOR.dims, k),
    ...varintField(TENSOR.dims, n),
    ...varintField(TENSOR.dataType, ELEMENT_TYPE_FLOAT),
    ...textField(TENSOR.name, INITIALIZER),
    ...openField(TENSOR.rawData, b.byteLength)
  ]
  const tensorBytes = tensorHead.length + b.byteLength
  const graphHead = [...graphFields(k, n), ...openField(GRAPH.initializer, tensorBytes)]
  const graphBytes = graphHead.length + tensorBytes
  const opset = varintField(OPSET.version, OPSET_VERSION)
  const modelHead = [
    ...varintField(MODEL.irVersion, IR_VERSION),
    ...messageField(MODEL.opsetImport, opset),
    ...openField(MODEL.graph, graphBytes)
  ]
  const modelBytes = modelHead.length + graphBytes
  if (modelBytes > MODEL_BYTES_MAX) throw tooLarge(k, n, modelBytes)
  const model = new Uint8Array(modelBytes)
  model.set([...modelHead, ...graphHead, ...tensorHead])
  model.set(new Uint8Array(b.buffer, b.byteOffset, b.byteLength), modelBytes - b.byteLength)
  return model
}

/** Names of the second and third input of {@link encodeProductModel}. */
export const MODEL_RIGHT = 'B'
export const MODEL_START = 'S'

/**
 * Encodes an ONNX model that computes C = A · B, or C = A · B + S, for any shapes: A is [m × k], B [k × n], S and C
 * [m × n], all row-major float32.
 */
export function encodeProductModel({ accumulates }: { accumulates: boolean }): Uint8Array<ArrayBuffer> {
  const dim = (name: string) => textField(DIM.param, name)
  const inputs = [
    { name: MODEL_INPUT, dims: [dim('m'), dim('k')] },
    { name: MODEL_RIGHT, dims: [dim('k'), dim('n')] },
    ...(accumulates ? [{ name: MODEL_START, dims: [dim('m'), dim('n')] }] : [])
  ]
  const node = [
    ...inputs.flatMap(({ name }) => textField(NODE.input, name)),
    ...textField(NODE.output, MODEL_OUTPUT),
    ...textField(NODE.opType, accumulates ? 'Gemm' : 'MatMul')
  ]
  const graph = [
    ...messageField(GRAPH.node, node),
    ...textField(GRAPH.name, 'product'),
    ...inputs.flatMap(({ name, dims }) => messageField(GRAPH.input, valueInfo(name, dims))),
    ...messageField(GRAPH.output, valueInfo(MODEL_OUTPUT, [dim('m'), dim('n')]))
  ]
  return Uint8Array.from([
    ...varintField(MODEL.irVersion, IR_VERSION),
    ...messageField(MODEL.opsetImport, varintField(OPSET.version, OPSET_VERSION)),
    ...messageField(MODEL.graph, graph)
  ])
}

function graphFields(k: number, n: number): Bytes {
  const rows = textField(DIM.param, 'm')
  const node = [
    ...textField(NODE.input, MODEL_INPUT),
    ...textField(NODE.input, INITIALIZER),
    ...textField(NODE.output, MODEL_OUTPUT),
    ...textField(NODE.opType, 'MatMul')
  ]
  return [
    ...messageField(GRAPH.node, node),
    ...textField(GRAPH.name, 'product'),
    ...messageField(GRAPH.input, valueInfo(MODEL_INPUT, [rows, varintField(DIM.value, k)])),
    ...messageField(GRAPH.output, valueInfo(MODEL_OUTPUT, [rows, varintField(DIM.value, n)]))
  ]
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

function tooLarge(k: number, n: number, modelBytes: number): SwarmError {
  return new SwarmError(
    'MATRIX_TOO_LARGE',
    `a right operand of ${k} × ${n} needs a model of ${modelBytes} bytes, but the fast kernel takes at most ` +
      `${MODEL_BYTES_MAX}. Multiply narrower column panels of it, or use --exact`,
    { exitCode: EXIT_CODES.usage }
  )
}
