/* Runs before the first paint, as a file of its own so that the content
   security policy needs no 'unsafe-inline' for scripts. It only picks the
   theme and the document language; the app takes over from there. */
;(function () {
  try {
    var theme = localStorage.getItem('koipond.theme') || 'system'
    var dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
    document.documentElement.dataset.theme = dark ? 'dark' : 'light'
    var lang = localStorage.getItem('koipond.lang')
    if (!lang) lang = /^zh/i.test(navigator.language || 'zh') ? 'zh-CN' : 'en'
    document.documentElement.lang = lang
  } catch (e) {
    document.documentElement.dataset.theme = 'light'
  }
})()
