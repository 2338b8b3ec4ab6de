import { AppLayout } from './AppLayout'
import { SessionGate } from './SessionGate'

/** Everything behind sign-in. Loaded apart, so that the sign-in page does not carry the frame. */
export default function SignedIn() {
  return (
    <SessionGate>
      <AppLayout />
    </SessionGate>
  )
}
