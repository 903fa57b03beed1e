const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const SIZES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2 }

export const DURATION_PATTERN = /^(?:0|\d{1,9}(?:ms|s|m|h))$/
export const SIZE_PATTERN = /^\d{1,12}(?:B|KiB|MiB)$/

/** `250ms`, `5s`, `2m`, `1h` or `0` → milliseconds; NaN where it is none of them. */
export function parseDuration(text: string): number {
  return text === '0' ? 0 : parse(text, DURATION_PATTERN, DURATIONS)
}

/** `512B`, `64KiB` or `10MiB` → bytes; NaN where it is none of them. */
export function parseSize(text: string): number {
  return parse(text, SIZE_PATTERN, SIZES)
}

function parse(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number {
  if (!pattern.test(text)) return NaN
  return Number.parseInt(text, 10) * (units[text.replace(/^\d+/, '')] ?? NaN)
}
