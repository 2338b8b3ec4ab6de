import { MachinePage } from '../components/MachinePage'

export default function LifecyclePage() {
  return <MachinePage machine="lifecycle" />
}
