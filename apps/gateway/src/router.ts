import { GatewayError, type Model, type Provider } from '@millrace/core'

/** A provider under the name that the configuration gives it. */
export interface Route {
  readonly name: string
  readonly provider: Provider
  /** Whether clients may get streams of it; if not, all get whole answers. */
  readonly streaming: boolean
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
  /** Who answers for a model name. @throws {GatewayError} `model_not_found` */
  resolve(model: string): Target
}

/**
 * Models by prefix: the first path segment names the provider, the rest goes upstream unchanged; a provider's bare name
 * stands for its default model; any other name belongs to the default provider, where there is one.
 */
export function createRouter(routes: readonly Route[], defaultProvider: string | undefined): Router {
  const byName = new Map(routes.map(route => [route.name, route]))
  const fallback = defaultProvider === undefined ? undefined : byName.get(defaultProvider)

  return {
    routes,
    resolve(model) {
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
    },
  }
}

function exampleOf({ name, defaultModel, models }: Route): string {
  return `${name}/${defaultModel ?? models?.[0] ?? '…'}`
}

function notFound(model: string, advice: string): GatewayError {
  return new GatewayError('model_not_found', `The model "${model.slice(0, 200)}" does not exist here. ${advice}`, {
    param: 'model',
  })
}

/** A model as the gateway lists it: under its provider's name. */
export interface ListedModel extends Model {
  readonly provider: string
}
