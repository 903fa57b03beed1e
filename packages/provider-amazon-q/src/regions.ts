export const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/
export const DEFAULT_REGION = 'us-east-1'

/** The regions with a service of their own, and the regions of sign-ins that they serve. The last one serves the rest. */
const SERVICES: readonly (readonly [region: string, signIns: RegExp])[] = [
  ['eu-central-1', /^eu-/],
  [DEFAULT_REGION, REGION],
]
export const SERVING_REGIONS: readonly string[] = SERVICES.map(([region]) => region)

export const PROFILE_ARN = /^arn:aws[a-z-]*:[a-z]+:[a-z0-9-]+:\d{12}:profile\/[A-Za-z0-9]+$/

/** The region that a profile belongs to: the fourth part of its name. */
export function regionOfProfile(profileArn: string | undefined): string | undefined {
  return profileArn?.split(':')[3] || undefined
}

/** The region that serves those who sign in in this one, as far as can be told from that. */
export function regionOfSignIn(region = DEFAULT_REGION): string {
  return SERVICES.find(([, signIns]) => signIns.test(region))?.[0] ?? DEFAULT_REGION
}
