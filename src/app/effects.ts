export { describeEffects, type EffectDescription } from '../tasks/wav/chain/describe-effects.ts'
