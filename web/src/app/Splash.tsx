/** The mark alone, for the moment before it is known who is there. */
export function Splash() {
  return (
    <div className="kp-alone">
      <img className="kp-splash" src="/favicon.svg" alt="" width={48} height={48} />
    </div>
  )
}
