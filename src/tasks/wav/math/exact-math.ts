/** Elementary functions that give the same bits on every machine, unlike those of `Math`, whose last bits engines may choose. */
export { exactExp, exactSinh } from './exact-exponential.ts'
export { decibelsToGain, exactLog, exactPow, gainToDecibels } from './exact-logarithm.ts'
export { exactCos, exactSin } from './exact-sine.ts'
