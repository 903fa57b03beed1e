import type { SubjectName } from '../loads.ts'
import type { Target } from '../target.ts'

/** Something between client and upstream, to be measured. */
export interface Subject {
  readonly name: SubjectName
  /** @throws {Error} why it cannot be measured here */
  start(place: Place): Promise<Started>
}

export interface Place {
  readonly upstreamPort: number
  /** A folder for whatever it has to write; it is removed in the end. */
  readonly folder: string
}

export interface Started {
  readonly target: Target
  /** The processes whose time and memory count; none for the upstream itself. */
  readonly pids: readonly number[]
  /** Where it is not of this project. */
  readonly version?: string
  stop(): Promise<void>
}
