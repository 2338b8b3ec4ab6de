import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Navigate, useLocation } from 'react-router'
import { sessionQuery } from '@/features/session/queries'
import { isSignedOut } from '@/shared/api/errors'
import { MeContext } from '@/shared/lib/session'
import { ErrorState } from '@/shared/ui/states'
import { signInPath } from './signInPath'
import { Splash } from './Splash'

/** Lets signed-in users through and sends everybody else to sign in. */
export function SessionGate({ children }: { children: ReactNode }) {
  const session = useQuery({
    ...sessionQuery(),
    retry: (n, e) => !isSignedOut(e) && n < 2,
    retryOnMount: false, // the router has just asked
  })
  const at = useLocation()
  if (session.data) return <MeContext value={session.data}>{children}</MeContext>
  if (isSignedOut(session.error)) return <Navigate to={signInPath(at.pathname + at.search)} replace />
  if (session.error) {
    return (
      <div className="kp-alone">
        <ErrorState error={session.error} onRetry={() => void session.refetch()} />
      </div>
    )
  }
  return <Splash />
}
