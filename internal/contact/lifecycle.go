package contact

import (
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/rule"
)

// Stages of the lifecycle of a contact, from the first meeting to the loss. They
// are what a company means by its counts until it says otherwise: a stage follows
// from what is true of a contact today and is stored nowhere.
const (
	StageNew     = "new"     // came in the last 30 days, has not bought
	StageActive  = "active"  // here for longer, showed up in the last 90 days, has not bought
	StagePaying  = "paying"  // bought once or twice, and showed up in the last 90 days
	StageLoyal   = "loyal"   // bought three times or more, and showed up in the last 90 days
	StageDormant = "dormant" // not a sign for 90 days
	StageLost    = "lost"    // not a sign for 180 days
)

// Stages lists them in the order of a lifecycle.
func Stages() []string {
	return []string{StageNew, StageActive, StagePaying, StageLoyal, StageDormant, StageLost}
}

// What parts the stages: days, the last of which is today, and orders.
const (
	newDays     = 30
	dormantDays = 90
	lostDays    = 180
	loyalOrders = 3
)

// life is what a stage follows from. Times are UTC milliseconds; 0: never.
type life struct{ created, seen, lastOrder, orders int64 }

// stageOf tells the stage of a contact on the company's day that begins at today.
func stageOf(l life, today time.Time) string {
	sign := func(days int) bool {
		from, to := today.AddDate(0, 0, 1-days).UnixMilli(), today.AddDate(0, 0, 1).UnixMilli()
		for _, at := range []int64{l.created, l.seen, l.lastOrder} {
			if at >= max(from, 1) && at < to {
				return true
			}
		}
		return false
	}
	switch {
	case !sign(lostDays):
		return StageLost
	case !sign(dormantDays):
		return StageDormant
	case l.orders >= loyalOrders:
		return StageLoyal
	case l.orders > 0:
		return StagePaying
	case l.created >= today.AddDate(0, 0, 1-newDays).UnixMilli() && l.created < today.AddDate(0, 0, 1).UnixMilli():
		return StageNew
	}
	return StageActive
}

// stageRules say the same in conditions that lists are filtered by.
var stageRules = func() map[string]rule.Node {
	cond := func(field, op string, value int) rule.Node {
		return rule.Node{Field: field, Op: op, Value: float64(value)}
	}
	signs := func(days int) []rule.Node {
		return []rule.Node{cond("lastSeen", "within", days), cond("created", "within", days), cond("lastOrder", "within", days)}
	}
	awake := rule.Node{Any: signs(dormantDays)}
	return map[string]rule.Node{
		StageNew:     {All: []rule.Node{cond("created", "within", newDays), cond("orders", "is", 0)}},
		StageActive:  {All: []rule.Node{awake, cond("orders", "is", 0), {None: []rule.Node{cond("created", "within", newDays)}}}},
		StagePaying:  {All: []rule.Node{{Field: "orders", Op: "between", Value: []any{1.0, float64(loyalOrders - 1)}}, awake}},
		StageLoyal:   {All: []rule.Node{cond("orders", "gte", loyalOrders), awake}},
		StageDormant: {All: []rule.Node{{None: signs(dormantDays)}, {Any: signs(lostDays)}}},
		StageLost:    {None: signs(lostDays)},
	}
}()

// The field is made of conditions on others, which the list cannot name in itself.
func init() {
	ruleFields = append(ruleFields, ruleField{name: "stage", typ: typeChoice, ops: []string{"in", "notIn", "is", "isNot"}, compile: compileStage})
}

func compileStage(c *compiler, n *condition) (expr, error) {
	list, err := n.texts()
	if err != nil {
		return nil, err
	}
	g := &group{kind: "any"}
	for i, id := range list {
		rule, ok := stageRules[id]
		if !ok {
			return nil, n.fault(fmt.Sprintf("value[%d]", i), "contact.no_such_stage", "stage", id)
		}
		e, err := c.node(&rule, n.path)
		if err != nil {
			return nil, err
		}
		g.parts = append(g.parts, e)
	}
	return g, nil
}
