package sim

import "net/http"

const (
	read  = http.MethodGet
	write = http.MethodPost
)

// wecomRoutes are the APIs of WeCom that the simulator speaks.
var wecomRoutes = map[string]route{
	"gettoken":          {read, "open", gettoken},
	"get_api_domain_ip": {read, "", platformIPs},
	"getcallbackip":     {read, "", platformIPs},
	"agent/get":         {read, "", agentGet},

	"department/list":       {read, "", departmentList},
	"department/simplelist": {read, "", departmentIDs},
	"department/get":        {read, "", departmentGet},
	"user/get":              {read, "", userGet},
	"user/list":             {read, "", userList},
	"user/simplelist":       {read, "", userSimpleList},
	"user/list_id":          {write, "", userListID},
	"user/getuserid":        {write, "", userByMobile},

	"media/upload":            {write, "", mediaUpload},
	"media/uploadimg":         {write, "", mediaUploadImage},
	"media/upload_attachment": {write, "customer", mediaUpload},

	"externalcontact/get_follow_user_list":       {read, "customer", followUsers},
	"externalcontact/list":                       {read, "customer", customerList},
	"externalcontact/get":                        {read, "customer", customerGet},
	"externalcontact/batch/get_by_user":          {write, "customer", customerBatch},
	"externalcontact/remark":                     {write, "customer", customerRemark},
	"externalcontact/get_corp_tag_list":          {write, "customer", corpTags},
	"externalcontact/add_corp_tag":               {write, "customer", addCorpTag},
	"externalcontact/edit_corp_tag":              {write, "customer", editCorpTag},
	"externalcontact/del_corp_tag":               {write, "customer", delCorpTag},
	"externalcontact/mark_tag":                   {write, "customer", markTag},
	"externalcontact/add_contact_way":            {write, "customer", addContactWay},
	"externalcontact/get_contact_way":            {write, "customer", getContactWay},
	"externalcontact/list_contact_way":           {write, "customer", listContactWay},
	"externalcontact/update_contact_way":         {write, "customer", updateContactWay},
	"externalcontact/del_contact_way":            {write, "customer", delContactWay},
	"externalcontact/send_welcome_msg":           {write, "customer", sendWelcome},
	"externalcontact/unionid_to_external_userid": {write, "customer", unionToExternal},
	"idconvert/unionid_to_external_userid":       {write, "customer", unionToExternal},

	"externalcontact/add_msg_template":         {write, "customer", addMassMessage},
	"externalcontact/get_groupmsg_list_v2":     {write, "customer", massList},
	"externalcontact/get_groupmsg_task":        {write, "customer", massTasks},
	"externalcontact/get_groupmsg_send_result": {write, "customer", massResult},
	"externalcontact/remind_groupmsg_send":     {write, "customer", massRemind},
	"externalcontact/cancel_groupmsg_send":     {write, "customer", massCancel},
	"externalcontact/add_moment_task":          {write, "customer", addMoment},
	"externalcontact/get_moment_task_result":   {read, "customer", momentJob},
	"externalcontact/get_moment_list":          {write, "customer", momentList},
	"externalcontact/get_moment_task":          {write, "customer", momentTasks},
	"externalcontact/get_moment_customer_list": {write, "customer", momentCustomers},
	"externalcontact/get_moment_send_result":   {write, "customer", momentResult},
	"externalcontact/get_moment_comments":      {write, "customer", momentComments},
	"externalcontact/cancel_moment_task":       {write, "customer", momentCancel},

	"externalcontact/groupchat/list":              {write, "customer", groupList},
	"externalcontact/groupchat/get":               {write, "customer", groupGet},
	"externalcontact/groupchat/add_join_way":      {write, "customer", addJoinWay},
	"externalcontact/groupchat/get_join_way":      {write, "customer", getJoinWay},
	"externalcontact/groupchat/update_join_way":   {write, "customer", updateJoinWay},
	"externalcontact/groupchat/del_join_way":      {write, "customer", delJoinWay},
	"externalcontact/opengid_to_chatid":           {write, "customer", openGIDToChat},
	"externalcontact/group_welcome_template/add":  {write, "customer", addGroupHello},
	"externalcontact/group_welcome_template/get":  {write, "customer", getGroupHello},
	"externalcontact/group_welcome_template/edit": {write, "customer", editGroupHello},
	"externalcontact/group_welcome_template/del":  {write, "customer", delGroupHello},
	"externalcontact/groupchat/transfer":          {write, "customer", groupTransfer},
	"externalcontact/groupchat/onjob_transfer":    {write, "customer", groupOnJob},
	"externalcontact/transfer_customer":           {write, "customer", transferCustomer},
	"externalcontact/transfer_result":             {write, "customer", transferResult},
	"externalcontact/resigned/transfer_customer":  {write, "customer", transferResigned},
	"externalcontact/resigned/transfer_result":    {write, "customer", resignedResult},
	"externalcontact/get_unassigned_list":         {write, "customer", unassigned},

	"message/send": {write, "", appSend},

	"kf/account/list":        {"", "kf", kfAccounts},
	"kf/add_contact_way":     {write, "kf", kfAddWay},
	"kf/sync_msg":            {write, "kf", kfSync},
	"kf/send_msg":            {write, "kf", kfSendMessage},
	"kf/send_msg_on_event":   {write, "kf", kfSendOnEvent},
	"kf/service_state/get":   {write, "kf", kfState},
	"kf/service_state/trans": {write, "kf", kfTrans},
	"kf/customer/batchget":   {write, "kf", kfCustomers},
}
