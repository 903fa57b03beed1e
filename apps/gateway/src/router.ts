import { GatewayError, type Model, type Provider } from '@millrace/core'

/** A provider under the name that the configuration gives it. */
export interface Route {
  readonly name: string
  readonly provider: Provider
  /** Whether clients may get streams of it; if not, all get whole answers. */
  readonly streaming: boolean
  /** Empty where the upstream chooses. */
  readonly defaultModel: string | undefined
  /** The models it is said to have; where undefined the upstream is asked. */
  readonly models: readonly string[] | undefined
}

export interface Target {
  readonly route: Route
  /** The model in the provider's own vocabulary. */
  readonly model: string
}

export interface Router {
  readonly routes: readonly Route[]
  /** The other names that were given to models. */
  readonly aliases: readonly ListedModel[]
  /** Who answers for a model name. @throws {GatewayError} `model_not_found` */
  resolve(model: string): Target
}

/**
 * Models by prefix: the first path segment names the provider, the rest goes upstream unchanged; a provider's bare name
 * stands for its default model; any other name belongs to the default provider, where there is one. Before all that an
 * alias stands for the name that it was given to.
 *
 * @param aliases name → what it stands for, which may be an alias again, but never leads back
 */
export function createRouter(
  routes: readonly Route[],
  defaultProvider: string | undefined,
  aliases: ReadonlyMap<string, string> = new Map(),
): Router {
  const byName = new Map(routes.map(route => [route.name, route]))
  const fallback = defaultProvider === undefined ? undefined : byName.get(defaultProvider)

  function meaningOf(name: string): string {
    const meaning = aliases.get(name)
    return meaning === undefined ? name : meaningOf(meaning)
  }

  function resolve(name: string): Target {
    const model = meaningOf(name)
    const slash = model.indexOf('/')
    const route = byName.get(slash === -1 ? model : model.slice(0, slash))
    if (route === undefined) {
      if (fallback === undefined)
        throw notFound(model, `Names begin with a provider: ${routes.map(exampleOf).join(', ')}.`)
      return { route: fallback, model }
    }
    if (slash !== -1 && slash < model.length - 1) return { route, model: model.slice(slash + 1) }
    if (route.defaultModel === undefined) {
      throw notFound(model, `The provider "${route.name}" has no default model: name one, as in ${exampleOf(route)}.`)
    }
    return { route, model: route.defaultModel }
  }

  return {
    routes,
    aliases: Array.from(aliases.keys(), id => ({ id, provider: resolve(id).route.name, aliasOf: meaningOf(id) })),
    resolve,
  }
}

function exampleOf({ name, defaultModel, models }: Route): string {
  return defaultModel === '' ? name : `${name}/${defaultModel ?? models?.[0] ?? '…'}`
}

function notFound(model: string, advice: string): GatewayError {
  return new GatewayError('model_not_found', `The model "${model.slice(0, 200)}" does not exist here. ${advice}`, {
    param: 'model',
  })
}

/** A model as the gateway lists it: under its provider's name, or under one that was given to it. */
export interface ListedModel extends Model {
  readonly provider: string
  /** What the name stands for. */
  readonly aliasOf?: string
}
