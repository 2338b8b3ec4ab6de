/** Fills names into a welcome, as the server does. */
export const fillIn = (s: string, names: { customer: string; staff: string; code: string; date: string }): string =>
  s.replaceAll('{customer}', names.customer).replaceAll('{staff}', names.staff).replaceAll('{code}', names.code).replaceAll('{date}', names.date)
