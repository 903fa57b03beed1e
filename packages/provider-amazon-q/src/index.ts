import { defineProvider } from '@millrace/core'
import { config, mistakesIn } from './config.ts'
import { openAmazonQ } from './provider.ts'
import { signIn } from './sign-in/sign-in.ts'

/** Amazon Q Developer and Kiro: tokens, logins of their programs, sign-ins of the gateway's own and AWS credentials, in one pool. */
export const amazonQ = defineProvider({ kind: 'amazon-q', config, mistakesIn, open: openAmazonQ, signIn })
