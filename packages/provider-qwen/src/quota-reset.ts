const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Days, weeks and months of the plans begin in Beijing. */
const BEIJING_MS = 8 * HOUR_MS

/** A spent quota is tried again this often, whatever is known of its end: what is known may be wrong. */
const PROBE_MS = HOUR_MS / 2

/** A moment that words name as the end of a quota; without a zone it is Beijing's. */
const RESET = /\breset\w*\D{0,20}(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?/i

/**
 * When to try a spent quota again, Unix time in milliseconds: when the words say that it comes back, or where they name a
 * day, week or month at the end of that, but within half an hour. Whether days end at midnight UTC or in Beijing is not
 * known: whichever comes first.
 */
export function retryTimeOf(words: string, now: number): number {
  const told = toldReset(words)
  if (told !== undefined && told > now) return told
  return Math.min(now + PROBE_MS, windowEnd(words, now))
}

function toldReset(words: string): number | undefined {
  const [, day, time, zone = '+08:00'] = RESET.exec(words) ?? []
  const at = day === undefined ? NaN : Date.parse(`${day}T${time}${zone === 'UTC' ? 'Z' : zone}`)
  return Number.isNaN(at) ? undefined : at
}

function windowEnd(words: string, now: number): number {
  const there = new Date(now + BEIJING_MS)
  const [year, month, date] = [there.getUTCFullYear(), there.getUTCMonth(), there.getUTCDate()]
  const inBeijing = (utc: number): number => utc - BEIJING_MS
  if (/\bhour/i.test(words)) return Infinity
  if (/\bmonth/i.test(words)) return inBeijing(Date.UTC(year, month + 1))
  // Weeks begin on Monday, and `getUTCDay` counts from Sunday.
  if (/\bweek/i.test(words)) return inBeijing(Date.UTC(year, month, date + 7 - ((there.getUTCDay() + 6) % 7)))
  const midnightUtc = (Math.floor(now / DAY_MS) + 1) * DAY_MS
  return Math.min(midnightUtc, inBeijing(Date.UTC(year, month, date + 1)))
}
