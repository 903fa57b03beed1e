import { describe, expect, test } from 'vitest'
import { adviceFor, baseUrlOf, baseUrlOfResource, planOfKey, PLANS, REGIONS, regionsOf } from './endpoints.ts'

test.for([
  ['payg', 'singapore', 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1'],
  ['payg', 'beijing', 'https://dashscope.aliyuncs.com/compatible-mode/v1'],
  ['payg', 'us', 'https://dashscope-us.aliyuncs.com/compatible-mode/v1'],
  ['payg', 'hongkong', 'https://cn-hongkong.dashscope.aliyuncs.com/compatible-mode/v1'],
  ['coding', 'singapore', 'https://coding-intl.dashscope.aliyuncs.com/v1'],
  ['coding', 'beijing', 'https://coding.dashscope.aliyuncs.com/v1'],
  ['coding', 'us', undefined],
  ['coding', 'hongkong', undefined],
  ['token', 'singapore', 'https://token-plan.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1'],
  ['token', 'beijing', 'https://token-plan.cn-beijing.maas.aliyuncs.com/compatible-mode/v1'],
  ['token', 'us', undefined],
  ['token', 'hongkong', undefined],
] as const)('%s in %s', ([plan, region, url]) => {
  expect(baseUrlOf(plan, region)).toBe(url)
  expect(regionsOf(plan).includes(region)).toBe(url !== undefined)
})

test.for([
  ['sk-0123456789', 'payg'],
  ['sk-sp-0123456789', 'coding'],
  ['anything', 'payg'],
] as const)('the key %s is of the plan %s', ([key, plan]) => {
  expect(planOfKey(key)).toBe(plan)
})

describe('the advice for a refused key', () => {
  const everywhere = PLANS.flatMap(plan => REGIONS.map(region => [plan, region] as const))
  test.for(everywhere)('never holds it: %s in %s', ([plan, region]) => {
    for (const key of ['sk-0123456789', 'sk-sp-0123456789']) expect(adviceFor(key, plan, region)).not.toContain('0123')
  })

  test('says which setting to change', () => {
    expect(adviceFor('sk-sp-1', 'payg', 'singapore')).toContain('set `plan: coding` or `plan: token`')
    expect(adviceFor('sk-1', 'coding', 'singapore')).toContain('set `plan: payg`')
    expect(adviceFor('sk-1', 'payg', 'singapore')).toContain('set `region: beijing` or `us` or `hongkong`')
    expect(adviceFor('sk-sp-1', 'coding', 'beijing')).toContain('set `region: singapore`, or `plan: token`')
    expect(adviceFor('sk-sp-1', 'token', 'singapore')).toContain('set `region: beijing`, or `plan: coding`')
  })
})

describe('the server that a sign-in names', () => {
  const AUTH = 'https://chat.qwen.ai'

  test('may be the sign-in server itself', () => {
    expect(baseUrlOfResource('http://localhost:1/portal', 'http://localhost:1/')).toBe('http://localhost:1/portal/v1')
    expect(() => baseUrlOfResource('http://localhost:2', 'http://localhost:1/')).toThrow('set `baseUrl`')
  })

  test.for([
    [undefined, 'https://portal.qwen.ai/v1'],
    ['', 'https://portal.qwen.ai/v1'],
    ['portal.qwen.ai', 'https://portal.qwen.ai/v1'],
    ['https://portal.qwen.ai/', 'https://portal.qwen.ai/v1'],
    ['https://portal.qwen.ai/v1', 'https://portal.qwen.ai/v1'],
    ['https://portal.qwen.ai/v1//', 'https://portal.qwen.ai/v1'],
    ['dashscope.aliyuncs.com/compatible-mode', 'https://dashscope.aliyuncs.com/compatible-mode/v1'],
  ])('%s is %s', ([resource, url]) => {
    expect(baseUrlOfResource(resource, AUTH)).toBe(url)
  })

  test.for([
    'http://portal.qwen.ai',
    'https://example.com',
    'https://portal.qwen.ai.example.com',
    'https://notqwen.ai',
    'https://portal.qwen.ai@example.com',
    'example.com/portal.qwen.ai',
    'https://',
  ])('%s gets no token', resource => {
    expect(() => baseUrlOfResource(resource, AUTH)).toThrow('set `baseUrl`')
  })
})
