package wecom

import "context"

// GroupListed is a customer group as lists give it. Status: 0 as it should be, 1
// its owner left, 2 being handed over, 3 handed over.
type GroupListed struct {
	ID     string `json:"chat_id"`
	Status int    `json:"status"`
}

// GroupOwnerLeft is the Status of a group whose owner left the company.
const GroupOwnerLeft = 1

// Groups lists the customer groups of some owners (none: of all the app may see).
func (c *Client) Groups(ctx context.Context, owners []string, status int, cursor string, most int) ([]GroupListed, string, error) {
	var k checker
	k.count("owners", "groups.owners", len(owners))
	if err := k.Err(); err != nil {
		return nil, "", err
	}
	in := map[string]any{"status_filter": status, "limit": page("groups.page", most)}
	if len(owners) > 0 {
		in["owner_filter"] = map[string]any{"userid_list": owners}
	}
	var out struct {
		List []GroupListed `json:"group_chat_list"`
		Next string        `json:"next_cursor"`
	}
	err := c.read(ctx, "externalcontact/groupchat/list", paged(in, cursor), &out)
	return out.List, out.Next, err
}

// Group is a customer group with its members.
type Group struct {
	ID        string        `json:"chat_id"`
	Name      string        `json:"name"`
	Owner     string        `json:"owner"`
	CreatedAt int64         `json:"create_time"`
	Notice    string        `json:"notice"`
	Version   string        `json:"member_version"`
	Members   []GroupMember `json:"member_list"`
	Admins    []struct {
		ID string `json:"userid"`
	} `json:"admin_list"`
}

// GroupMember is one of a group: a colleague (Type 1) or a customer (Type 2).
type GroupMember struct {
	ID       string `json:"userid"`
	Type     int    `json:"type"`
	UnionID  string `json:"unionid"`
	JoinedAt int64  `json:"join_time"`
	Scene    int    `json:"join_scene"` // 1 invited, 2 by a link, 3 by a code
	State    string `json:"state"`      // of the join way
	Name     string `json:"name"`
	Nickname string `json:"group_nickname"`
	Invitor  struct {
		ID string `json:"userid"`
	} `json:"invitor"`
}

// Group gives a group with names.
func (c *Client) Group(ctx context.Context, id string) (Group, error) {
	var out struct {
		Group Group `json:"group_chat"`
	}
	err := c.read(ctx, "externalcontact/groupchat/get", map[string]any{"chat_id": id, "need_name": 1}, &out)
	return out.Group, err
}

// ChatID gives the group behind the id that mini-programs know it by.
func (c *Client) ChatID(ctx context.Context, openGID string) (string, error) {
	var out struct {
		ID string `json:"chat_id"`
	}
	err := c.read(ctx, "externalcontact/opengid_to_chatid", map[string]any{"opengid": openGID}, &out)
	return out.ID, err
}

// JoinWay is a code that leads into one of up to five groups.
type JoinWay struct {
	ID       string // config_id
	Groups   []string
	State    string
	Remark   string
	MiniApp  bool
	AutoMake bool   // when all are full, a new one is made
	BaseName string // of those made
	BaseNum  int    // the number of the first
	QR       string // set by the platform
}

func (w JoinWay) call() (map[string]any, error) {
	var k checker
	k.Need("groups", len(w.Groups) > 0)
	k.count("groups", "join.groups", len(w.Groups))
	k.text("remark", "join.remark", w.Remark)
	k.text("state", "join.state", w.State)
	k.text("baseName", "join.name", w.BaseName)
	if err := k.Err(); err != nil {
		return nil, err
	}
	scene, auto := 2, 0
	if w.MiniApp {
		scene = 1
	}
	in := map[string]any{"scene": scene, "remark": w.Remark, "chat_id_list": w.Groups, "state": w.State}
	if w.AutoMake {
		auto = 1
		in["room_base_name"], in["room_base_id"] = w.BaseName, w.BaseNum
	}
	in["auto_create_room"] = auto
	if w.ID != "" {
		in["config_id"] = w.ID
	}
	return in, nil
}

// AddJoinWay makes a join way. Its picture is in JoinWay.
func (c *Client) AddJoinWay(ctx context.Context, w JoinWay) (string, error) {
	w.ID = ""
	in, err := w.call()
	if err != nil {
		return "", err
	}
	var out struct {
		ID string `json:"config_id"`
	}
	err = c.post(ctx, "externalcontact/groupchat/add_join_way", in, &out)
	return out.ID, err
}

// JoinWay gives a join way.
func (c *Client) JoinWay(ctx context.Context, id string) (JoinWay, error) {
	var out struct {
		W struct {
			ID     string   `json:"config_id"`
			Scene  int      `json:"scene"`
			Remark string   `json:"remark"`
			Auto   int      `json:"auto_create_room"`
			Name   string   `json:"room_base_name"`
			Num    int      `json:"room_base_id"`
			Groups []string `json:"chat_id_list"`
			QR     string   `json:"qr_code"`
			State  string   `json:"state"`
		} `json:"join_way"`
	}
	err := c.read(ctx, "externalcontact/groupchat/get_join_way", map[string]any{"config_id": id}, &out)
	w := out.W
	return JoinWay{ID: w.ID, Groups: w.Groups, State: w.State, Remark: w.Remark, MiniApp: w.Scene == 1, AutoMake: w.Auto == 1, BaseName: w.Name, BaseNum: w.Num, QR: w.QR}, err
}

// UpdateJoinWay changes a join way; its picture stays.
func (c *Client) UpdateJoinWay(ctx context.Context, w JoinWay) error {
	in, err := w.call()
	if err != nil {
		return err
	}
	return c.post(ctx, "externalcontact/groupchat/update_join_way", in, nil)
}

// DeleteJoinWay deletes a join way.
func (c *Client) DeleteJoinWay(ctx context.Context, id string) error {
	return c.post(ctx, "externalcontact/groupchat/del_join_way", map[string]any{"config_id": id}, nil)
}

// Nickname stands in the text of a group's welcome for the newcomer's name.
const Nickname = "%NICKNAME%"

func (c *Client) groupWelcome(id string, t Content, notify bool) (map[string]any, error) {
	var k checker
	t.check(&k)
	k.text("text", "groupwelcome.text", t.Text)
	if len(t.Parts) > 1 {
		k.Fault("parts", "wecom.one_part")
	}
	if err := k.Err(); err != nil {
		return nil, err
	}
	in := c.ofAgent(map[string]any{})
	if t.Text != "" {
		in["text"] = map[string]string{"content": t.Text}
	}
	for _, p := range t.Parts {
		in[p.Form] = p.body()
	}
	if id != "" {
		in["template_id"] = id
	} else {
		n := 0
		if notify {
			n = 1
		}
		in["notify"] = n
	}
	return in, nil
}

// AddGroupWelcome makes a welcome that group owners may choose, with a text and
// one part at most; a corp has 100. notify tells the owners.
func (c *Client) AddGroupWelcome(ctx context.Context, t Content, notify bool) (string, error) {
	in, err := c.groupWelcome("", t, notify)
	if err != nil {
		return "", err
	}
	var out struct {
		ID string `json:"template_id"`
	}
	err = c.post(ctx, "externalcontact/group_welcome_template/add", in, &out)
	return out.ID, err
}

// EditGroupWelcome changes one.
func (c *Client) EditGroupWelcome(ctx context.Context, id string, t Content) error {
	in, err := c.groupWelcome(id, t, false)
	if err != nil {
		return err
	}
	return c.post(ctx, "externalcontact/group_welcome_template/edit", in, nil)
}

// DeleteGroupWelcome deletes one.
func (c *Client) DeleteGroupWelcome(ctx context.Context, id string) error {
	return c.post(ctx, "externalcontact/group_welcome_template/del", c.ofAgent(map[string]any{"template_id": id}), nil)
}
