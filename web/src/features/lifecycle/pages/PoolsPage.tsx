import { MachinePage } from '../components/MachinePage'

export default function PoolsPage() {
  return <MachinePage machine="pools" />
}
