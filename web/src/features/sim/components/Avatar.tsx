import css from './sim.module.css'

/** The drawn picture of somebody in the simulator. The name beside it says who it is. */
export function Avatar({ id, size = 36 }: { id: string; size?: number }) {
  return <img className={css.avatar} src={`/api/sim/avatars/${encodeURIComponent(id)}`} alt="" width={size} height={size} loading="lazy" />
}
