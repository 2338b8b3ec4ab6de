package wecom

import "context"

// TagGroup is a group of the corp's tags.
type TagGroup struct {
	ID      string `json:"group_id"`
	Name    string `json:"group_name"`
	Order   int64  `json:"order"`
	Deleted bool   `json:"deleted"`
	Tags    []Tag  `json:"tag"`
}

// Tag is one of the corp's tags.
type Tag struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Order   int64  `json:"order"`
	Deleted bool   `json:"deleted"`
}

// TagGroups gives the corp's tags: those of the groups or tags named, or all.
func (c *Client) TagGroups(ctx context.Context, groups, tags []string) ([]TagGroup, error) {
	in := map[string]any{}
	if len(groups) > 0 {
		in["group_id"] = groups
	}
	if len(tags) > 0 {
		in["tag_id"] = tags
	}
	var out struct {
		Groups []TagGroup `json:"tag_group"`
	}
	err := c.read(ctx, "externalcontact/get_corp_tag_list", in, &out)
	return out.Groups, err
}

// AddTags adds tags to a group: one that exists, by id, or by name, which makes
// it when there is none. A tag whose name the group has already is given back as
// it is.
func (c *Client) AddTags(ctx context.Context, groupID, groupName string, names []string) (TagGroup, error) {
	var k checker
	k.Need("group", groupID != "" || groupName != "")
	k.text("group", "tags.group", groupName)
	k.Need("names", len(names) > 0)
	k.count("names", "tags.names", len(names))
	list := make([]map[string]any, len(names))
	for i, n := range names {
		k.Need(at("names", i), n != "")
		k.text(at("names", i), "tags.name", n)
		list[i] = map[string]any{"name": n}
	}
	if err := k.Err(); err != nil {
		return TagGroup{}, err
	}
	in := c.ofAgent(map[string]any{"tag": list})
	if groupID != "" {
		in["group_id"] = groupID
	} else {
		in["group_name"] = groupName
	}
	var out struct {
		Group TagGroup `json:"tag_group"`
	}
	err := c.post(ctx, "externalcontact/add_corp_tag", in, &out)
	return out.Group, err
}

// RenameTag renames a tag or a group.
func (c *Client) RenameTag(ctx context.Context, id, name string) error {
	var k checker
	k.Need("id", id != "")
	k.Need("name", name != "")
	k.text("name", "tags.name", name)
	if err := k.Err(); err != nil {
		return err
	}
	return c.post(ctx, "externalcontact/edit_corp_tag", c.ofAgent(map[string]any{"id": id, "name": name}), nil)
}

// DeleteTags deletes tags and groups, from all customers too.
func (c *Client) DeleteTags(ctx context.Context, groups, tags []string) error {
	var k checker
	k.Need("tags", len(groups)+len(tags) > 0)
	k.count("tags", "tags.ids", len(tags))
	k.count("groups", "tags.ids", len(groups))
	if err := k.Err(); err != nil {
		return err
	}
	in := c.ofAgent(map[string]any{})
	if len(groups) > 0 {
		in["group_id"] = groups
	}
	if len(tags) > 0 {
		in["tag_id"] = tags
	}
	return c.post(ctx, "externalcontact/del_corp_tag", in, nil)
}

// MarkTags puts tags on a friendship and takes others off.
func (c *Client) MarkTags(ctx context.Context, user, customer string, add, remove []string) error {
	var k checker
	k.Need("user", user != "")
	k.Need("customer", customer != "")
	k.Need("add", len(add)+len(remove) > 0)
	k.count("add", "mark.tags", len(add))
	k.count("remove", "mark.tags", len(remove))
	if err := k.Err(); err != nil {
		return err
	}
	in := map[string]any{"userid": user, "external_userid": customer}
	if len(add) > 0 {
		in["add_tag"] = add
	}
	if len(remove) > 0 {
		in["remove_tag"] = remove
	}
	return c.post(ctx, "externalcontact/mark_tag", in, nil)
}

// ofAgent adds the app's number, which old apps have to name.
func (c *Client) ofAgent(in map[string]any) map[string]any {
	if c.agent > 0 {
		in["agentid"] = c.agent
	}
	return in
}
