import { createHash } from 'node:crypto'
import type { SimulatedClock } from './clock.ts'
import type { SignInSettings } from './sign-in.ts'

/**
 * What a poll may be told to get: an answer by its name, or `page`: pending until somebody has opened the page, or
 * `success`: signed in.
 */
export type PollAnswer<Poll> = Poll | 'page' | 'success'

/** A device that waits for somebody to sign in; `Poll` names what its polls may get, `Bound` is what it came with. */
export interface Device<Poll, Bound> {
  readonly deviceCode: string
  readonly userCode: string
  readonly bound: Bound
  /** On the simulator's clock. */
  readonly expiresAt: number
  /** What its polls get, one after the other; then it is signed in. */
  readonly answers: PollAnswer<Poll>[]
  polls: number
  /** Somebody opened the page for it. */
  approved: boolean
  state: 'waiting' | 'signed in' | 'ended'
}

export interface Devices<Poll, Bound> {
  /** A new device. The settings' codes are used up by it. */
  start(bound: Bound): Device<Poll, Bound>
  find(deviceCode: string): Device<Poll, Bound> | undefined
  findUser(userCode: string): Device<Poll, Bound> | undefined
  /** What the polls of devices to come get. */
  script(answers: readonly PollAnswer<Poll>[]): void
  /** What one more poll of a device gets, which is still waiting. */
  poll(device: Device<Poll, Bound>): Poll | 'pending' | 'expired' | 'success'
  all(): readonly Device<Poll, Bound>[]
  reset(): void
}

const MAX_KEPT = 1000

/** After those of `final` a device code is worth nothing. */
export function createDevices<Poll, Bound>(
  clock: SimulatedClock,
  settings: Pick<SignInSettings, 'deviceCode' | 'userCode' | 'deviceExpiresIn'>,
  final: ReadonlySet<Poll>,
): Devices<Poll, Bound> {
  let devices: Device<Poll, Bound>[] = []
  let script: readonly PollAnswer<Poll>[] = []
  let count = 0

  return {
    start(bound) {
      count++
      const device: Device<Poll, Bound> = {
        deviceCode: settings.deviceCode ?? `dc_${count}`,
        userCode: settings.userCode ?? toUserCode(count),
        bound,
        expiresAt: clock.now() + settings.deviceExpiresIn * 1000,
        answers: [...script],
        polls: 0,
        approved: false,
        state: 'waiting',
      }
      settings.deviceCode = null
      settings.userCode = null
      if (devices.push(device) > MAX_KEPT) devices.shift()
      return device
    },
    find: code => devices.findLast(device => device.deviceCode === code),
    findUser: code => devices.findLast(device => device.userCode === code),
    script(answers) {
      script = answers
    },
    poll(device) {
      device.polls++
      if (clock.now() >= device.expiresAt) {
        device.state = 'ended'
        return 'expired'
      }
      const [next = 'success'] = device.answers
      if (next === 'page' && !device.approved) return 'pending'
      device.answers.shift()
      if (next === 'page' || next === 'success') {
        device.state = 'signed in'
        return 'success'
      }
      if (final.has(next)) device.state = 'ended'
      return next
    },
    all: () => devices,
    reset() {
      devices = []
      script = []
      count = 0
    },
  }
}

/** Eight letters, others each time. */
function toUserCode(count: number): string {
  const digest = createHash('sha256').update(`user ${count}`).digest()
  return [...digest.subarray(0, 8)].map(byte => String.fromCharCode(65 + (byte % 26))).join('')
}
