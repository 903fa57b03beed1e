import { createPool, operableAccounts, runThroughAccounts } from '@millrace/accounts'
import { createFlow, type Call, type ChatRequest, type Provider, type ProviderDeps } from '@millrace/core'
import { askAccount, createAsking } from './chat.ts'
import { accountsOf, mistakesIn, type AmazonQConfig } from './config.ts'
import { listModels } from './list-models.ts'
import { openAccount } from './open-account.ts'
import { createSender } from './send.ts'

/** @throws {Error} the settings do not go together; the message says how */
export function openAmazonQ(settings: AmazonQConfig, deps: ProviderDeps): Provider {
  const [mistake] = mistakesIn(settings)
  if (mistake !== undefined) throw new Error(`${mistake.path.join('.')} ${mistake.message}`)
  const context = { settings, deps }
  const accounts = new Map(accountsOf(settings).map(account => [account.name, openAccount(account, context)]))
  const opened = [...accounts.values()]
  const { name: provider = settings.kind, states, onAccountChange: onChange } = deps
  const pool = createPool({ provider, accounts: opened.map(({ spec }) => spec), states, onChange })

  return {
    defaultModel: '',
    lacks: { stop: true, usage: true },
    accounts: operableAccounts(pool, (name, signal) =>
      askAccount(accounts.get(name)!, createAsking(...tinyRequest(signal), context)),
    ),
    chat: (request, call) =>
      createFlow(async sink => {
        const asking = createAsking(request, call, context)
        const { session: sticky, caller, signal, onAccount } = call
        const options = { sticky, caller, signal, onAccount }
        await runThroughAccounts(pool, options, ({ name }) => askAccount(accounts.get(name)!, asking), sink)
      }),
    models(signal) {
      const sender = createSender({ ...context, requestId: 'models', signal })
      return listModels(opened, { sender, flavour: settings.flavour }, signal)
    },
  }
}

function tinyRequest(signal: AbortSignal): [ChatRequest, Call] {
  const model = 'probe'
  const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }] }
  const head = { id: 'probe', created: 0, model, includeUsage: false }
  return [request, { model: '', head, stream: true, signal, requestId: 'probe' }]
}
