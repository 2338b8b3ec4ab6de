package importer

import "slices"

// Field is something a column may hold.
type Field struct {
	ID       string
	Group    string // who, profile, order, event
	Type     string // text, number, money, time, id
	Label    string // message code
	Hint     string // message code, "" none
	Required bool   // of some column, or of an option that stands in for it
	kinds    []Kind
	names    []string // what columns with it are called, see guess
}

// Groups that a field is shown in.
const (
	groupWho     = "who"
	groupProfile = "profile"
	groupOrder   = "order"
	groupEvent   = "event"
	groupConsent = "consent"
)

// Ids of fields that the code speaks of.
const (
	fPhone     = "phone"
	fEmail     = "email"
	fUserID    = "user_id"
	fAnonymous = "anonymous_id"
	fName      = "name"
	fGender    = "gender"
	fBirthday  = "birthday"
	fCity      = "city"
	fChannel   = "channel"
	fCreated   = "created_at"
	fTag       = "tag"
	fConsentAt = "consent_at"
	fNumber    = "order_number"
	fPaidAt    = "paid_at"
	fSKU       = "sku"
	fProduct   = "product"
	fQuantity  = "quantity"
	fPrice     = "price"
	fAmount    = "amount"
	fTotal     = "total"
	fCurrency  = "currency"
	fStatus    = "status"
	fRefundOf  = "refund_of"
	fRefunded  = "refunded_at"
	fEvent     = "event"
	fTimestamp = "timestamp"
	fMessageID = "message_id"
	fURL       = "url"

	attrPrefix = "attr:"
	propPrefix = "prop:"
	// consentPrefix begins fields of consent: consent.<purpose>.<channel>.
	consentPrefix = "consent."
)

// whoFields identify a person, strongest first.
var whoFields = []string{fUserID, "member_no", "wecom_external_userid", "unionid", "openid", "shop_buyer_id", "external_id", fPhone, fEmail, fAnonymous}

// Fields lists what a column may hold for a kind.
func Fields(kind Kind) []Field {
	return slices.DeleteFunc(allFields(), func(f Field) bool { return !slices.Contains(f.kinds, kind) })
}

func allFields() []Field {
	all := []Kind{Contacts, Orders, Events}
	contacts, orders, events := []Kind{Contacts}, []Kind{Orders}, []Kind{Events}
	return []Field{
		{ID: fPhone, Group: groupWho, Type: "id", Label: "import.field.phone", kinds: all, names: []string{
			"手机", "手机号", "手机号码", "电话", "电话号码", "联系电话", "联系方式", "联系手机", "收货人手机", "收货人电话", "收件人手机", "收件人电话", "买家手机", "买家电话", "移动电话", "会员手机", "会员手机号", "下单人手机号", "客户手机", "客户电话",
			"phone", "phonenumber", "mobile", "mobilephone", "mobileno", "cell", "cellphone", "tel", "telephone", "phoneno", "contactphone", "receiverphone", "customerphone"}},
		{ID: fEmail, Group: groupWho, Type: "id", Label: "import.field.email", kinds: all, names: []string{
			"邮箱", "电子邮箱", "邮件", "电子邮件", "邮箱地址", "email", "emailaddress", "mail", "e-mail", "customeremail"}},
		{ID: fUserID, Group: groupWho, Type: "id", Label: "import.field.user_id", Hint: "import.hint.user_id", kinds: all, names: []string{
			"用户id", "客户id", "用户编号", "客户编号", "客户编码", "顾客编号", "顾客id", "客户号", "用户标识", "userid", "uid", "user", "customerid", "customer", "customerno", "customernumber", "custid", "clientid", "accountid", "householdid", "distinctid", "personid"}},
		{ID: "member_no", Group: groupWho, Type: "id", Label: "import.field.member_no", kinds: all, names: []string{
			"会员号", "会员卡号", "会员编号", "卡号", "会员id", "会员码", "memberno", "memberid", "membernumber", "cardno", "cardnumber", "loyaltyid"}},
		{ID: "wecom_external_userid", Group: groupWho, Type: "id", Label: "import.field.wecom_external_userid", kinds: all, names: []string{
			"企业微信外部联系人id", "外部联系人id", "externaluserid", "wecomexternaluserid", "wecomuserid"}},
		{ID: "unionid", Group: groupWho, Type: "id", Label: "import.field.unionid", kinds: all, names: []string{"unionid", "微信unionid", "wechatunionid"}},
		{ID: "openid", Group: groupWho, Type: "id", Label: "import.field.openid", kinds: all, names: []string{"openid", "微信openid", "wechatopenid"}},
		{ID: "shop_buyer_id", Group: groupWho, Type: "id", Label: "import.field.shop_buyer_id", kinds: all, names: []string{
			"买家会员名", "买家昵称", "买家id", "买家账号", "旺旺", "淘宝昵称", "买家支付宝账号", "buyerid", "buyernick", "buyer"}},
		{ID: "external_id", Group: groupWho, Type: "id", Label: "import.field.external_id", kinds: all, names: []string{"外部id", "外部编号", "externalid", "crmid", "thirdpartyid"}},
		{ID: fAnonymous, Group: groupWho, Type: "id", Label: "import.field.anonymous_id", Hint: "import.hint.anonymous_id", kinds: events, names: []string{
			"匿名id", "设备id", "访客id", "设备号", "anonymousid", "deviceid", "visitorid", "cookieid", "clientuuid", "uuid", "sessionid", "caseid"}},

		{ID: fName, Group: groupProfile, Type: "text", Label: "import.field.name", kinds: []Kind{Contacts, Orders}, names: []string{
			"姓名", "名字", "客户姓名", "客户名称", "会员姓名", "联系人", "收货人", "收货人姓名", "收件人", "收件人姓名", "昵称", "微信昵称", "顾客姓名", "用户姓名", "用户名", "name", "fullname", "customername", "contactname", "nickname", "displayname", "receivername"}},
		{ID: fGender, Group: groupProfile, Type: "text", Label: "import.field.gender", kinds: contacts, names: []string{"性别", "gender", "sex"}},
		{ID: fBirthday, Group: groupProfile, Type: "time", Label: "import.field.birthday", kinds: contacts, names: []string{"生日", "出生日期", "出生年月", "出生年月日", "birthday", "birthdate", "dateofbirth", "dob"}},
		{ID: fCity, Group: groupProfile, Type: "text", Label: "import.field.city", kinds: []Kind{Contacts, Orders}, names: []string{"城市", "所在城市", "市", "收货城市", "city", "town"}},
		{ID: fChannel, Group: groupProfile, Type: "text", Label: "import.field.channel", Hint: "import.hint.channel", kinds: []Kind{Contacts, Orders}, names: []string{"渠道", "来源渠道", "渠道来源", "获客渠道", "channel", "sourcechannel", "acquisitionchannel"}},
		{ID: fCreated, Group: groupProfile, Type: "time", Label: "import.field.created_at", kinds: contacts, names: []string{
			"注册时间", "创建时间", "加入时间", "入会时间", "注册日期", "添加时间", "开卡时间", "createdat", "createtime", "created", "registeredat", "registrationdate", "signupdate", "joindate", "dateadded"}},
		{ID: fTag, Group: groupProfile, Type: "text", Label: "import.field.tag", Hint: "import.hint.tag", kinds: contacts, names: []string{"标签", "客户标签", "用户标签", "会员标签", "tags", "tag", "labels"}},
		{ID: fConsentAt, Group: groupConsent, Type: "time", Label: "import.field.consent_at", Hint: "import.hint.consent_at", kinds: contacts, names: []string{
			"授权时间", "同意时间", "授权日期", "同意日期", "consentat", "consenttime", "consentdate", "optinat", "optindate"}},

		{ID: fNumber, Group: groupOrder, Type: "id", Label: "import.field.order_number", Required: true, kinds: orders, names: []string{
			"订单号", "订单编号", "单号", "主订单编号", "主订单号", "交易号", "交易单号", "小票号", "流水号", "销售单号", "发票号", "订单id", "orderno", "ordernumber", "orderid", "order", "invoiceno", "invoice", "invoicenumber", "invoiceid", "basketid", "transactionid", "receiptno", "receiptid", "billno", "orderdd"}},
		{ID: fPaidAt, Group: groupOrder, Type: "time", Label: "import.field.paid_at", Required: true, kinds: orders, names: []string{
			"付款时间", "支付时间", "下单时间", "订单付款时间", "订单支付时间", "订单创建时间", "成交时间", "交易时间", "订单时间", "消费时间", "销售日期", "购买时间", "下单日期", "订单日期", "交易日期", "日期", "时间", "创建时间", "paidat", "paymenttime", "paytime", "paymentdate", "orderdate", "ordertime", "orderedat", "invoicedate", "purchasedate", "purchasedat", "transactiondate", "transactiontime", "transactiontimestamp", "date", "datetime", "time", "timestamp", "createdat"}},
		{ID: fSKU, Group: groupOrder, Type: "id", Label: "import.field.sku", kinds: orders, names: []string{
			"商品编码", "商品编号", "商品货号", "货号", "款号", "sku", "skuid", "sku编码", "商家编码", "规格编码", "条码", "商品条码", "商品id", "stockcode", "productid", "productcode", "itemid", "itemcode", "itemno", "barcode", "asin"}},
		{ID: fProduct, Group: groupOrder, Type: "text", Label: "import.field.product", kinds: orders, names: []string{
			"商品名称", "商品", "商品标题", "宝贝标题", "产品名称", "产品", "品名", "货品名称", "description", "product", "productname", "item", "itemname", "producttitle", "title", "productdescription"}},
		{ID: fQuantity, Group: groupOrder, Type: "number", Label: "import.field.quantity", kinds: orders, names: []string{
			"数量", "购买数量", "商品数量", "件数", "销售数量", "宝贝总数量", "quantity", "qty", "units", "count", "numberofcds", "itemquantity"}},
		{ID: fPrice, Group: groupOrder, Type: "money", Label: "import.field.price", kinds: orders, names: []string{
			"单价", "商品单价", "价格", "售价", "商品价格", "销售单价", "unitprice", "price", "itemprice", "priceeach", "sellingprice"}},
		{ID: fAmount, Group: groupOrder, Type: "money", Label: "import.field.amount", Hint: "import.hint.amount", kinds: orders, names: []string{
			"小计", "金额小计", "商品金额", "商品总价", "行金额", "明细金额", "商品小计", "amount", "lineamount", "linetotal", "subtotal", "salesvalue", "sales", "itemtotal", "extendedprice", "dollarvalue"}},
		{ID: fTotal, Group: groupOrder, Type: "money", Label: "import.field.total", Hint: "import.hint.total", kinds: orders, names: []string{
			"金额", "实付金额", "实付款", "实收金额", "实收", "订单金额", "支付金额", "付款金额", "总金额", "订单总额", "总价", "应付金额", "买家实际支付金额", "买家实付", "成交金额", "消费金额", "交易金额", "合计", "ordertotal", "total", "totalamount", "grandtotal", "paidamount", "payment", "ordervalue", "orderamount", "revenue", "totalprice"}},
		{ID: fCurrency, Group: groupOrder, Type: "text", Label: "import.field.currency", kinds: orders, names: []string{"币种", "货币", "currency", "currencycode"}},
		{ID: fStatus, Group: groupOrder, Type: "text", Label: "import.field.status", Hint: "import.hint.status", kinds: orders, names: []string{
			"订单状态", "状态", "交易状态", "支付状态", "退款状态", "status", "orderstatus", "state", "paymentstatus", "financialstatus", "transactiontype"}},
		{ID: fRefundOf, Group: groupOrder, Type: "id", Label: "import.field.refund_of", Hint: "import.hint.refund_of", kinds: orders, names: []string{
			"原订单号", "原单号", "关联订单号", "退款原订单", "refundof", "originalorder", "originalorderid", "originalinvoice", "parentorder"}},
		{ID: fRefunded, Group: groupOrder, Type: "time", Label: "import.field.refunded_at", kinds: orders, names: []string{"退款时间", "退货时间", "refundedat", "refunddate", "refundtime"}},

		{ID: fEvent, Group: groupEvent, Type: "text", Label: "import.field.event", Hint: "import.hint.event", Required: true, kinds: events, names: []string{
			"事件", "事件名", "事件名称", "行为", "行为类型", "动作", "event", "eventname", "eventtype", "action", "activity", "behavior"}},
		{ID: fTimestamp, Group: groupEvent, Type: "time", Label: "import.field.timestamp", Required: true, kinds: events, names: []string{
			"时间", "发生时间", "事件时间", "行为时间", "时间戳", "日期", "访问时间", "timestamp", "time", "eventtime", "eventdate", "datetime", "date", "occurredat", "createdat", "ts"}},
		{ID: fMessageID, Group: groupEvent, Type: "id", Label: "import.field.message_id", Hint: "import.hint.message_id", kinds: events, names: []string{"消息id", "事件id", "messageid", "eventid", "insertid"}},
		{ID: fURL, Group: groupEvent, Type: "text", Label: "import.field.url", kinds: events, names: []string{"网址", "页面", "页面地址", "链接", "url", "pageurl", "page", "link"}},
	}
}
