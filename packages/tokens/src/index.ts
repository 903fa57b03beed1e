export { countRequestTokens } from './count-request-tokens.ts'
export { countTokens } from './count-tokens.ts'
