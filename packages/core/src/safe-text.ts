const MAX_BYTES = 2048

// Foreign text may be hostile: no pattern below may scan the same characters again from each of many starts.

/** Keys of the kinds that services hand out, signed tokens, and what follows `Bearer`. */
const SECRETS =
  /\b(?:sk|pk|rk|gsk|ksk|xai|key|mr)[-_][\w-]{8,}|\bAIza[\w-]{20,}|\bBearer\s+[\w.~+/=-]+|\beyJ[\w-]{10,}(?:\.[\w-]*)*/gi
const CREDENTIALED_URL = /\b(\w+:\/\/)[^\s/?#]+@/g
const URL_QUERY = /(\bhttps?:\/\/[^\s?"']+)(?:\?[^\s"']*)?/gi
const MARKUP = /<[/?]?[a-z!][^<>]{0,1000}>/gi
const UNCLOSED_MARKUP = /<(?=[a-z!/?])/gi
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g

/**
 * Foreign words made fit to be shown: one line, no markup, no control characters, keys masked, at most 2 KiB of UTF-8.
 * Empty where nothing readable is left.
 */
export function toSafeText(text: string): string {
  const line = text
    .slice(0, 4 * MAX_BYTES)
    .toWellFormed()
    .replace(MARKUP, ' ')
    .replace(UNCLOSED_MARKUP, '< ')
    .replace(CONTROL, ' ')
    .replace(SECRETS, '[masked]')
    .replace(CREDENTIALED_URL, '$1')
    .replace(URL_QUERY, '$1')
    .replace(/ {2,}/g, ' ')
    .trim()
  if (Buffer.byteLength(line) <= MAX_BYTES) return line
  const cut = Buffer.from(line).subarray(0, MAX_BYTES - 3)
  return `${cut.toString().replace(/\uFFFD+$/, '')}…`
}
