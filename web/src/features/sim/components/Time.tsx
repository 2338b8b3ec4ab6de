import { usePrefs } from '@/shared/lib/prefs'

/** The hour and minute of something that happened today, the day of what is older. */
export function Time({ at, seconds }: { at: string; seconds?: boolean }) {
  const { lang } = usePrefs()
  const d = new Date(at)
  const today = d.toDateString() === new Date().toDateString()
  const form = today || seconds ? { hour: '2-digit', minute: '2-digit', second: seconds ? '2-digit' : undefined, hour12: false } : { month: 'numeric', day: 'numeric' }
  return (
    <time dateTime={at} className="kp-num">
      {new Intl.DateTimeFormat(lang, form as Intl.DateTimeFormatOptions).format(d)}
    </time>
  )
}
