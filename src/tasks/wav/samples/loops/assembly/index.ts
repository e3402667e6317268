// AssemblyScript, compiled by test/tasks/wav/samples/loops/build-wasm.ts; neither tsc nor biome reads this folder.
//
// Each sample is made by the same IEEE 754 operations in the same order, whether alone or as a lane of a vector, so neither
// the length of a run nor the CPU changes a bit. All addresses are bytes; samples are f64. Nothing is kept between calls.

export { weighPair } from './weigh.ts'
export { raisePeak, raiseLevels } from './true-peak.ts'
export { turnIntoGains, log2Of, exp2Negative } from './compress.ts'
export { scale, raiseToMagnitudes, multiply, turnIntoReductions, reduce } from './scale.ts'
export { quantize, interleave16, interleaveF32, deinterleave16, deinterleaveF32 } from './convert.ts'
