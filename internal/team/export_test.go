package team

// What tests of the package's outside need to know of its inside.
const (
	CacheFor      = cacheFor
	StaleFor      = staleFor
	FreeByAccount = freeByAccount
	FreeByAddress = freeByAddress
)
