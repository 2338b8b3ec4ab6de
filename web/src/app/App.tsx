import { QueryClientProvider, type QueryClient } from '@tanstack/react-query'
import type { DataRouter } from 'react-router'
import { RouterProvider } from 'react-router/dom'
import type { Lang } from '@/shared/i18n/lang'
import { ThemeRoot } from '@/shared/ui/ThemeRoot'
import { PrefsProvider } from './PrefsProvider'

interface Props {
  initialLang: Lang
  client: QueryClient
  router: DataRouter
}

/** The console. */
export function App({ initialLang, client, router }: Props) {
  return (
    <QueryClientProvider client={client}>
      <PrefsProvider initialLang={initialLang}>
        <ThemeRoot>
          <RouterProvider router={router} />
        </ThemeRoot>
      </PrefsProvider>
    </QueryClientProvider>
  )
}
