import { ChevronLeft } from 'lucide-react'
import { useEffect, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

interface Props {
  title: string
  desc?: ReactNode
  /** Buttons and pickers at the right. */
  extra?: ReactNode
  /** The list this page was opened from. */
  back?: { to: string; label: string }
  /** What stands in the heading when it is more than the title's text. */
  heading?: ReactNode
}

/** The head of a page: its one h1, what the page is for, and its actions. Names the browser tab too. */
export function PageHead({ title, desc, extra, back, heading }: Props) {
  usePageTitle(title)
  return (
    <div className="kp-page-head">
      <div className="kp-grow">
        {back && <PageBack {...back} />}
        <h1>{heading ?? title}</h1>
        {desc && <p>{desc}</p>}
      </div>
      {extra && <div className="kp-page-extra">{extra}</div>}
    </div>
  )
}

/** Names the browser tab after the page. */
export function usePageTitle(title: string): void {
  const brand = useTranslation().t('brand')
  useEffect(() => {
    document.title = `${title} · ${brand}`
  }, [title, brand])
}

/** The way back to the list a page was opened from. */
export function PageBack({ to, label }: { to: string; label: string }) {
  return (
    <Link className="kp-page-back" to={to}>
      <ChevronLeft size={14} aria-hidden />
      {label}
    </Link>
  )
}

/** The frame every page stands in. */
export function Page({ children, narrow }: { children: ReactNode; narrow?: boolean }) {
  return <div className={narrow ? 'kp-page narrow' : 'kp-page'}>{children}</div>
}
