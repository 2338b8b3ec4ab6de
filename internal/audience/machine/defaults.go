package machine

import "github.com/koipond/koipond/internal/rule"

// What parts the stages by default: days, the last of which is today, and orders.
const (
	newDays     = 30
	dormantDays = 90
	lostDays    = 180
	wonBackDays = 30
	loyalOrders = 3
)

func cond(field, op string, value any) rule.Node {
	if n, ok := value.(int); ok {
		value = float64(n)
	}
	return rule.Node{Field: field, Op: op, Value: value}
}

func when(n rule.Node) *rule.Rule { return &rule.Rule{V: 1, Node: n} }

func all(n ...rule.Node) rule.Node  { return rule.Node{All: n} }
func some(n ...rule.Node) rule.Node { return rule.Node{Any: n} }
func none(n ...rule.Node) rule.Node { return rule.Node{None: n} }

// signs are what shows that somebody is there: seen, come, or bought in the last days.
func signs(days int) []rule.Node {
	return []rule.Node{cond("lastSeen", "within", days), cond("created", "within", days), cond("lastOrder", "within", days)}
}

// Default is what a machine is until the company says otherwise.
func Default(machine string) []State {
	if machine == Pools {
		return defaultPools()
	}
	return defaultStages()
}

func defaultStages() []State {
	awake, fresh := some(signs(dormantDays)...), cond("created", "within", newDays)
	return []State{
		{ID: "new", Name: Words{"新客", "New"}, Color: "#3f7cac", Rule: when(all(fresh, cond("orders", "is", 0))),
			Note: Words{"最近 30 天内加入，还没有买过", "Came in the last 30 days and has not bought yet"}},
		{ID: "active", Name: Words{"活跃", "Active"}, Color: "#2f8f83", Rule: when(all(awake, cond("orders", "is", 0), none(fresh))),
			Note: Words{"加入超过 30 天，最近 90 天有动静，还没有买过", "Here for more than 30 days, showed up in the last 90, has not bought yet"}},
		{ID: "paying", Name: Words{"成交", "Paying"}, Color: "#b7791f", Rule: when(all(cond("orders", "between", []any{1.0, float64(loyalOrders - 1)}), awake)),
			Note: Words{"买过一两次，最近 90 天有动静", "Bought once or twice, showed up in the last 90 days"}},
		{ID: "loyal", Name: Words{"忠诚", "Loyal"}, Color: "#c2553f", Rule: when(all(cond("orders", "gte", loyalOrders), awake)),
			Note: Words{"买过三次以上，最近 90 天有动静", "Bought three times or more, showed up in the last 90 days"}},
		{ID: "dormant", Name: Words{"沉睡", "Dormant"}, Color: "#7a6fa6", Rule: when(all(none(signs(dormantDays)...), some(signs(lostDays)...))),
			Note: Words{"90 天没有动静", "Not a sign for 90 days"}},
		{ID: "lost", Name: Words{"流失", "Lost"}, Color: "#7c8794",
			Note: Words{"180 天没有动静", "Not a sign for 180 days"}},
		{ID: "wonback", Name: Words{"赢回", "Won back"}, Color: "#be4a7b", From: []string{"dormant", "lost"}, Stay: wonBackDays,
			Rule: when(some(cond("lastSeen", "within", wonBackDays), cond("lastOrder", "within", wonBackDays))),
			Note: Words{"沉睡或流失之后又回来或又买了，之后 30 天", "Came back or bought again after being dormant or lost, for the 30 days after"}},
	}
}

func defaultPools() []State {
	return []State{
		{ID: "nurture", Name: Words{"养育型", "Nurture"}, Color: "#2f8f83",
			Note: Words{"还不熟，先用内容养着，不急着卖", "Not close yet: keep them company with content, do not sell"},
			Carriers: Words{"公众号 + 视频号做内容，个人企微一对一答疑；群发每周不超过一次",
				"Official account and Channels for content, personal WeCom to answer questions; at most one broadcast a week"}},
		{ID: "convert", Name: Words{"转化型", "Convert"}, Color: "#b7791f",
			Rule: when(all(cond("orders", "is", 0), rule.Node{Field: "owner", Op: "set"}, cond("lastSeen", "within", dormantDays))),
			Note: Words{"有人跟进、最近 90 天有动静，还没有买过", "Has an owner and showed up in the last 90 days, has not bought yet"},
			Carriers: Words{"企微 + 社群：限时活动、体验课、拼团；跟进人一对一促成",
				"WeCom and groups: limited offers, trials, group buying; the owner closes one to one"}},
		{ID: "client", Name: Words{"客户型", "Client"}, Color: "#c2553f", Rule: when(cond("orders", "gte", 1)),
			Note: Words{"买过，重点是服务、复购和转介绍", "Has bought: serve, sell again, ask for referrals"},
			Carriers: Words{"专属顾问企微 + 会员小程序 + VIP 社群：售后、复购提醒、会员日",
				"A personal adviser on WeCom, the member mini program and a VIP group: service, reminders to buy again, member days"}},
	}
}
