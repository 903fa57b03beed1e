import { createHash } from 'node:crypto'
import type { SimulatedClock } from './clock.ts'

/** A device that waits for somebody to sign in; `Poll` is what its polls may get, `Bound` what it came with. */
export interface Device<Poll, Bound> {
  readonly deviceCode: string
  readonly userCode: string
  readonly bound: Bound
  /** On the simulator's clock. */
  readonly expiresAt: number
  /** What its polls get, one after the other; then it is signed in. */
  readonly answers: Poll[]
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
  script(answers: readonly Poll[]): void
  all(): readonly Device<Poll, Bound>[]
  reset(): void
}

export interface DeviceSettings {
  /** The codes of the next device; made up where null. */
  deviceCode: string | null
  userCode: string | null
  /** Seconds that device codes live. */
  deviceExpiresIn: number
}

const MAX_KEPT = 1000

export function createDevices<Poll, Bound>(clock: SimulatedClock, settings: DeviceSettings): Devices<Poll, Bound> {
  let devices: Device<Poll, Bound>[] = []
  let script: readonly Poll[] = []
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
