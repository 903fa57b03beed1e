import type { ProviderDefinition } from '@millrace/core'
import { amazonQ } from '@millrace/provider-amazon-q'
import { openai } from '@millrace/provider-openai'
import { qwen } from '@millrace/provider-qwen'

/** The kinds of providers that a configuration can name, one line each. */
export const DEFINITIONS: readonly ProviderDefinition[] = [openai, qwen, amazonQ]
