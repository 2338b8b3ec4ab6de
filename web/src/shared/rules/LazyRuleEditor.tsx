import { lazy, Suspense, type ComponentProps } from 'react'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { Loading } from '@/shared/ui/states'

const Editor = lazy(async () => {
  const [module] = await Promise.all([import('./RuleEditor'), loadNamespaces('rules')])
  return { default: module.RuleEditor }
})

/** The builder of rules with its words, fetched when it is first shown. */
export function LazyRuleEditor(props: ComponentProps<typeof Editor>) {
  return (
    <Suspense fallback={<Loading height={200} />}>
      <Editor {...props} />
    </Suspense>
  )
}
