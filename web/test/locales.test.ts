import { describe, expect, it } from 'vitest'
import { compare, compareUses, uses } from '../scripts/locale-rules.mjs'

describe('two catalogues', () => {
  it('agree', () => {
    expect(compare('x', { a: { b: '甲 {{n}}' }, c_other: '{{count}} 条' }, { a: { b: 'A {{n}}' }, c_one: '{{count}} row', c_other: '{{count}} rows' })).toEqual([])
  })
  it.each([
    [{ a: '甲' }, {}, 'missing in en'],
    [{}, { a: 'A' }, 'missing in zh-CN'],
    [{ a: '{{x}}' }, { a: '{{y}}' }, 'takes {x} in zh-CN but {y} in en'],
    [{ a: '甲' }, { a: ' ' }, 'is empty in en'],
    [{ a: '甲' }, { a: '甲' }, 'is Chinese in en'],
    [{ a_other: '{{count}}' }, { a_other: '{{count}}' }, 'needs _one and _other in en'],
  ])('%j against %j: %s', (zh, en, want) => {
    expect(compare('x', zh, en).join()).toContain(want)
  })
})

describe('use of keys', () => {
  const source = `
    const { t } = useTranslation(['jobs', 'common'])
    t('title'); t("common:action.save"); t(\`state.\${s}\`, { n: 1 }); t(is('a:') ? 'yes' : 'no', { x: 'z' })
    codeText('jobs', 'advice', code)`
  it('reads literals, templates, choices and server codes', () => {
    expect(uses(source).map((u) => `${u.ns} ${u.key ?? u.pattern}`)).toEqual([
      'jobs,common title',
      'common action.save',
      'jobs,common /^state\\..+$/',
      'jobs,common yes',
      'jobs,common no',
      'jobs /^advice\\..+$/',
    ])
  })
  it('names what is missing and what is left over', () => {
    const problems = compareUses(
      new Map([
        ['jobs', new Set(['title', 'state.a', 'yes', 'no', 'advice.x', 'left'])],
        ['common', new Set<string>()],
      ]),
      [['a.tsx', source]],
    )
    expect(problems).toEqual(['a.tsx asks for action.save which common does not have', 'jobs:left is not used'])
  })
})
