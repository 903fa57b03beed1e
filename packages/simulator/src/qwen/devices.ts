import { createHash } from 'node:crypto'
import type { SimulatedClock } from './clock.ts'
import type { PollAnswer } from './poll-answers.ts'
import type { SignInSettings } from './sign-in.ts'

/** A device that waits for somebody to sign in. */
export interface Device {
  readonly deviceCode: string
  readonly userCode: string
  readonly challenge: string
  /** On the simulator's clock. */
  readonly expiresAt: number
  /** What its polls get, one after the other; then it is signed in. */
  readonly answers: PollAnswer[]
  polls: number
  /** Somebody opened the page for it. */
  approved: boolean
  state: 'waiting' | 'signed in' | 'ended'
}

export interface Devices {
  /** A new device. The settings' codes are used up by it. */
  start(challenge: string): Device
  find(deviceCode: string): Device | undefined
  findUser(userCode: string): Device | undefined
  /** What the polls of devices to come get. */
  script(answers: readonly PollAnswer[]): void
  all(): readonly Device[]
  reset(): void
}

const MAX_KEPT = 1000

export function createDevices(clock: SimulatedClock, settings: SignInSettings): Devices {
  let devices: Device[] = []
  let script: readonly PollAnswer[] = []
  let count = 0

  return {
    start(challenge) {
      count++
      const device: Device = {
        deviceCode: settings.deviceCode ?? `dc_${count}`,
        userCode: settings.userCode ?? toUserCode(count),
        challenge,
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
