import { QueryClientProvider } from '@tanstack/react-query'
import { useState } from 'react'
import { RouterProvider } from 'react-router/dom'
import { makeQueryClient } from '@/shared/api/query'
import type { Lang } from '@/shared/i18n/lang'
import { ThemeRoot } from '@/shared/ui/ThemeRoot'
import { PrefsProvider } from './PrefsProvider'
import { makeRouter } from './router'

/** The console. */
export function App({ initialLang }: { initialLang: Lang }) {
  const [client] = useState(makeQueryClient)
  const [router] = useState(() => makeRouter(client))
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
