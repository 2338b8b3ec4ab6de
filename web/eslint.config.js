import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'
import house from './eslint/plugin.js'

const NO_HTML = {
  selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
  message: 'markup is built from elements, never from strings',
}

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'src/shared/api/generated/'] },
  {
    files: ['src/**/*.{ts,tsx}', 'test/**/*.{ts,tsx}', 'vite.config.ts'],
    extends: [...tseslint.configs.strict],
    plugins: { 'react-hooks': reactHooks, house },
    rules: {
      ...reactHooks.configs.recommended.rules,
      'house/walls': 'error',
      'house/no-bare-strings': 'error',
      'house/no-top-level-t': 'error',
      'no-restricted-syntax': ['error', NO_HTML],
      'no-console': ['error', { allow: ['error'] }],
      eqeqeq: ['error', 'always'],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // void is how the API's empty answers are written.
      '@typescript-eslint/no-invalid-void-type': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/**/*.test.{ts,tsx}', 'test/**'],
    rules: { 'house/no-bare-strings': 'off', 'max-lines': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  { files: ['src/shared/api/shapes.ts'], rules: { 'max-lines': 'off' } },
)
