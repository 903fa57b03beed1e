import { toText } from '../chunks.ts'
import { toErrorBody, toFault, toPage } from '../error-shapes.ts'
import type { Answer, Ask, Scenarios } from '../scenario.ts'
import { toWhole } from './chat-scenario.ts'

/** Metadata service of cloud machines: the address that a redirect must not be followed to. */
const METADATA = 'http://169.254.169.254/latest/meta-data/'

/** Answers that are not what was asked for. */
export const ODD_BODIES: Scenarios = {
  json: {
    summary: 'One JSON completion, although a stream was asked for.',
    answer: ask => ({ body: toWhole(ask, toText) }),
  },
  sse: {
    summary: 'A stream, although none was asked for.',
    answer: ask => ({ events: () => toText(ask) }),
  },
  html: {
    summary: 'A web page.',
    options: { status: 'its status (502)' },
    anyEndpoint: true,
    answer: ask => {
      const status = ask.options.number('status', 502)
      return { status, body: toPage(status), defaults: { type: 'text/html' } }
    },
  },
  empty: {
    summary: 'No body at all.',
    options: { status: '200, 204 or another (200)' },
    anyEndpoint: true,
    answer: ask => ({
      status: ask.options.number('status', 200),
      body: '',
      defaults: ask.stream ? { type: 'text/event-stream' } : {},
    }),
  },
  redirect: {
    summary: 'A redirect to somewhere else.',
    options: { to: `where to (${METADATA})`, status: '301, 302, 307, 308 (302)' },
    anyEndpoint: true,
    answer: ask => ({
      status: ask.options.number('status', 302),
      headers: { location: ask.options.text('to', METADATA) },
      body: '',
    }),
  },
  'evil-headers': {
    summary: 'An ordinary answer with headers that must not reach anybody else.',
    options: { count: 'how many of them (40)', bytes: 'how many bytes they have in all, about (4000)' },
    anyEndpoint: true,
    answer: (ask, ordinary) => ({ ...ordinary(), headers: toEvilHeaders(ask) }),
  },
  flaky: {
    summary: 'Ordinary answers, a share of which are errors.',
    options: { rate: 'the share, from 0 to 1 (0.3)', status: "the errors' status (500)" },
    varies: true,
    anyEndpoint: true,
    answer: (ask, ordinary) => (ask.random() < ask.options.number('rate', 0.3) ? failed(ask) : ordinary()),
  },
}

function failed(ask: Ask): Answer {
  const status = ask.options.number('status', 500)
  return { status, body: JSON.stringify(toErrorBody(toFault(status))) }
}

function toEvilHeaders(ask: Ask): Record<string, string | string[]> {
  const count = ask.options.number('count', 40)
  const filling = 'x'.repeat(Math.ceil(ask.options.number('bytes', 4000) / Math.max(1, count)))
  return {
    'set-cookie': ['session=simulated; Path=/; HttpOnly', 'tracker=simulated; Domain=example.com'],
    'content-security-policy': "default-src 'none'",
    'access-control-allow-origin': 'https://evil.example',
    connection: 'keep-alive, x-internal-hop',
    'x-internal-hop': 'simulated',
    'x-internal-token': 'simulated-internal-token',
    'x-amzn-requestid': 'simulated',
    server: 'simulated-internal-host.example',
    via: '1.1 proxy.internal.example',
    'x-powered-by': 'simulator',
    'x-ratelimit-remaining-requests': '41',
    'strict-transport-security': 'max-age=1',
    'alt-svc': 'h3=":443"',
    ...Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-filling-${at}`, filling])),
  }
}
