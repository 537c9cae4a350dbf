/** What the linter holds: typescript-eslint's strictest set, and the house's layout, so that `eslint --fix` is the formatter. */
import stylistic from '@stylistic/eslint-plugin'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  { ignores: ['dist/', 'vendor/', '.sandbox/', 'eslint.config.mjs', 'src/pages/assets/'] },
  ...tseslint.configs.strictTypeChecked,
  stylistic.configs.customize({ quotes: 'single', commaDangle: 'never', braceStyle: '1tbs' }),
  {
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // What is added to a union must be handled wherever it is told apart. The compiler asks that only of functions that return something.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Nothing here has a `this`: parts are objects made by functions, and their methods may be handed on.
      '@typescript-eslint/unbound-method': 'off',
      // An `async` function throws nothing at who calls it: its errors are rejections, which interfaces promise.
      '@typescript-eslint/require-await': 'off',
      // `return stop()` ends a function in one line.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // With noUncheckedIndexedAccess it says that an index is in range. test/style.test.ts counts them.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@stylistic/arrow-parens': ['error', 'as-needed'],
      '@stylistic/space-before-function-paren': ['error', 'always'],
      '@stylistic/quotes': ['error', 'single', { avoidEscape: true, allowTemplateLiterals: 'avoidEscape' }],
      '@stylistic/quote-props': ['error', 'as-needed'],
      '@stylistic/generator-star-spacing': ['error', 'both'],
      '@stylistic/brace-style': ['error', '1tbs', { allowSingleLine: true }],
      // `[...text]` gives characters, which is what it is written for.
      '@typescript-eslint/no-misused-spread': 'off',
      // It does not see what a callback changes meanwhile.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // What is read from a network is made a string whatever it is.
      '@typescript-eslint/no-base-to-string': 'off',
      // `Promise.withResolvers<void>()` is taken for a misuse.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // A caller names the shape of a row, as in node:sqlite's own types.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // What failed is handed on as it is.
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      // A promise's error is what its maker says: ours reject with Errors.
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@stylistic/no-mixed-operators': 'off',
      // `Promise.all` takes what is there already beside what is to come.
      '@typescript-eslint/await-thenable': 'off',
      // Types promise more than libraries and networks keep.
      '@typescript-eslint/no-unnecessary-type-conversion': 'off',
      // Short cases of one line, and lists broken where they read best.
      '@stylistic/max-statements-per-line': 'off',
      '@stylistic/list-style': 'off',
      '@stylistic/exp-list-style': 'off',
      '@stylistic/multiline-ternary': 'off',
      '@stylistic/member-delimiter-style': 'off',
      '@stylistic/operator-linebreak': 'off'
    }
  },
  {
    // Tests look into what is `any` anyway: what servers answered, and configs that are wrong on purpose.
    files: ['test/**', 'sandbox/**', 'bench/**'],
    rules: Object.fromEntries([
      'no-deprecated', 'no-misused-promises', 'no-explicit-any', 'no-require-imports', 'no-this-alias', 'no-unnecessary-type-assertion', 'no-unsafe-argument',
      'no-unsafe-assignment', 'no-unsafe-call', 'no-unsafe-member-access', 'no-unsafe-return', 'restrict-plus-operands', 'restrict-template-expressions'
    ].map(rule => [`@typescript-eslint/${rule}`, 'off']))
  }
)
