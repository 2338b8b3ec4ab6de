import { RuleTester } from 'eslint'
import tseslint from 'typescript-eslint'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import plugin from './plugin.js'

RuleTester.describe = describe
RuleTester.it = it
const src = (p) => join(import.meta.dirname, '../src', p)
const tester = new RuleTester({
  languageOptions: { parser: tseslint.parser, parserOptions: { ecmaFeatures: { jsx: true } } },
})

tester.run('walls', plugin.rules.walls, {
  valid: [
    { filename: src('app/a.ts'), code: "import '@/features/x/a'" },
    { filename: src('features/x/a.ts'), code: "import '@/shared/a'; import '../x/b'; import 'react'" },
    { filename: src('shared/ui/a.ts'), code: "import 'antd'" },
  ],
  invalid: [
    { filename: src('features/x/a.ts'), code: "import '@/features/y/a'", errors: 1 },
    { filename: src('features/x/a.ts'), code: "import '../y/a'", errors: 1 },
    { filename: src('features/x/a.ts'), code: "export * from '@/app/a'", errors: 1 },
    { filename: src('features/x/a.ts'), code: "const a = import('@/features/y/a')", errors: 1 },
    { filename: src('shared/lib/a.ts'), code: "import '../../features/y/a'", errors: 1 },
    { filename: src('features/x/a.ts'), code: "import zh from 'antd/locale/zh_CN'", errors: 1 },
    { filename: src('app/a.ts'), code: "import { Button } from 'antd'", errors: 1 },
  ],
})

tester.run('no-bare-strings', plugin.rules['no-bare-strings'], {
  valid: [
    "const a = <a className='row' title={t('x')}>{t('y')} · {n} / 3</a>",
    'const a = <kbd>Esc</kbd>',
    "const a = <Tag tone='good' />",
  ],
  invalid: [
    { code: 'const a = <a>Save</a>', errors: 1 },
    { code: 'const a = <a>保存</a>', errors: 1 },
    { code: "const a = <a>{'Save'}</a>", errors: 1 },
    { code: "const a = <a>{on ? 'Yes' : t('no')}</a>", errors: 1 },
    { code: 'const a = <a>{`${n} rows`}</a>', errors: 1 },
    { code: "const a = <input placeholder='Name' />", errors: 1 },
    { code: "const a = <input aria-label={'Name'} />", errors: 1 },
    { code: "toast('已保存')", errors: 1 },
  ],
})

tester.run('no-top-level-t', plugin.rules['no-top-level-t'], {
  valid: ["function A() { return t('x') }", "const f = () => t('x')"],
  invalid: [{ code: "const label = t('x')", errors: 1 }, { code: "const label = i18n.t('x')", errors: 1 }],
})
