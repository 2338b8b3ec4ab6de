import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { createMemoryRouter, RouterProvider, useLocation } from 'react-router'
import { PrefsProvider } from '@/app/PrefsProvider'
import type { Me } from '@/shared/api/types'
import { currentLang } from '@/shared/i18n/i18n'
import { MeContext } from '@/shared/lib/session'
import { ThemeRoot } from '@/shared/ui/ThemeRoot'

/** Someone signed in, with every field a page may read. */
export function someone(overrides: Partial<Me> = {}): Me {
  return {
    user: { id: 'u1', name: '沈知夏', email: 'zhixia@example.com', role: 'admin', roleName: '管理员', language: 'zh-CN' },
    permissions: ['session.self', 'jobs.read'],
    scope: 'all',
    company: { name: '山月茶集', timezone: 'Asia/Shanghai', currency: 'CNY', language: 'zh-CN' },
    version: '0.0.0-test',
    ...overrides,
  }
}

function Where() {
  const { pathname, search } = useLocation()
  return <output data-testid="where">{pathname + search}</output>
}

interface Options {
  /** The address the page is opened at. */
  at: string
  /** The page's own path pattern. */
  path: string
  me?: Me
}

/** Draws one page with everything around it: theme, language, queries and a router that shows where it is. */
export function renderPage(page: ReactNode, { at, path, me }: Options) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const router = createMemoryRouter(
    [
      { path, element: page },
      { path: '*', element: <Where /> },
    ],
    { initialEntries: [at] },
  )
  const view = render(
    <QueryClientProvider client={client}>
      <MeContext value={me ?? null}>
        <PrefsProvider initialLang={currentLang()}>
          <ThemeRoot>
            <RouterProvider router={router} />
          </ThemeRoot>
        </PrefsProvider>
      </MeContext>
    </QueryClientProvider>,
  )
  return { ...view, client, router }
}
