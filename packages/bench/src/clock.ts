const originUs = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000

/** Microseconds on a clock that all processes of this machine share. */
export function nowUs(): number {
  return performance.now() * 1000 + originUs
}
