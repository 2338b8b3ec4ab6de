import type { QueryClient } from '@tanstack/react-query'
import { createBrowserRouter, Navigate } from 'react-router'
import { sessionQuery } from '@/features/session/queries'
import { onSignedOut } from '@/shared/api/client'
import { useMe } from '@/shared/lib/session'
import { RouteError } from './RouteError'
import { NotFound } from './NotFound'
import { landing } from './nav'
import { page } from './page'
import { pages } from './routes'
import { signInPath } from './signInPath'

function Landing() {
  return <Navigate to={landing(useMe().permissions)} replace />
}

/** Builds the router once. The session is asked for while the first page's code loads. */
export function makeRouter(client: QueryClient) {
  if (!/^\/(sign-in|setup)$/.test(window.location.pathname)) void client.prefetchQuery({ ...sessionQuery(), retry: false })
  const router = createBrowserRouter([
    {
      HydrateFallback: () => null,
      errorElement: <RouteError />,
      children: [
        { path: 'sign-in', lazy: page('session', () => import('@/features/session/pages/SignInPage')) },
        { path: 'setup', lazy: page('session', () => import('@/features/session/pages/SetupPage')) },
        {
          lazy: page([], () => import('./SignedIn')),
          children: [
            {
              errorElement: <RouteError />,
              children: [{ index: true, element: <Landing /> }, ...pages, { path: '*', element: <NotFound /> }],
            },
          ],
        },
      ],
    },
  ])
  onSignedOut(() => {
    client.clear()
    const { pathname, search } = router.state.location
    if (pathname !== '/sign-in') void router.navigate(signInPath(pathname + search), { replace: true })
  })
  return router
}
