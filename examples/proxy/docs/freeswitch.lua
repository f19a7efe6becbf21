-- FreeSWITCH asks the decision API which carrier and which caller ID a call gets: scripts/outdial.lua, with mod_lua and mod_curl, and in the
-- dialplan <action application="lua" data="outdial.lua"/> for outbound calls. The same conversation as in kamailio.cfg. The project's tests run this
-- file with a session and a curl command of their own, against the API; no FreeSWITCH runs it.
--
-- The gateways of the carriers are not needed: the URI that is told is dialled through the profile "external".

local api = freeswitch.API()
local base = session:getVariable("outdial_api") or "http://127.0.0.1:9466"

-- Texts in JSON: what would end one is left out.
local function text(s) return '"' .. (s or ""):gsub('[%c"\\]', " ") .. '"' end

-- mod_curl takes words between blanks, and decodes the one behind "post".
local function encode(s) return (s:gsub("[^%w{}:,._-]", function(c) return ("%%%02X"):format(c:byte()) end)) end

local function post(path, body)
	local answer = api:execute("curl", base .. path .. " content-type application/json connect-timeout 2 timeout 2 post " .. encode(body))
	return answer or ""
end

local function member(answer, key)
	return answer:match('"' .. key .. '":"([^"]*)"') or answer:match('"' .. key .. '":(%-?%d+)')
end

-- Who ended a leg that was not answered, where no SIP status says so.
local origins = { RECOVERY_ON_TIMER_EXPIRE = "no_trying", PROGRESS_TIMEOUT = "no_progress", NO_ANSWER = "no_answer", ORIGINATOR_CANCEL = "caller" }

local to = session:getVariable("destination_number")
if not to:match("^%+?%d+$") then
	session:hangup("INVALID_NUMBER_FORMAT")
	return
end
local answer = post("/v1/decide", '{"key":' .. text(session:get_uuid()) .. ',"to":' .. text(to) .. ',"dialer":"predictive"}')
while member(answer, "action") == "dial" or member(answer, "action") == "wait" do
	while member(answer, "action") == "wait" and session:ready() do
		freeswitch.msleep(tonumber(member(answer, "delay_ms")))
		answer = post("/v1/calls/" .. member(answer, "token") .. "/next", "{}")
	end
	if member(answer, "action") ~= "dial" then
		break
	end
	freeswitch.msleep(tonumber(member(answer, "delay_ms")) or 0)
	local token, leg, cli = member(answer, "token"), member(answer, "leg"), member(answer, "cli")
	session:setVariable("hangup_after_bridge", "false")
	session:setVariable("continue_on_fail", "true")
	session:setVariable("effective_caller_id_number", cli)
	local vars = "{origination_caller_id_number=" .. cli .. ",sip_cid_type=pid,progress_timeout=8,originate_timeout=60}"
	session:execute("bridge", vars .. "sofia/external/" .. member(answer, "uri"):gsub("^sip:", ""))
	local cause = session:getVariable("originate_disposition") or ""
	if cause == "SUCCESS" then
		post("/v1/calls/" .. token .. "/progress", '{"leg":' .. leg .. ',"code":200,"ago_ms":' ..
			(tonumber(session:getVariable("bridge_billmsec") or "0") or 0) .. "}")
		local ours = session:getVariable("last_bridge_hangup_cause") ~= "NORMAL_CLEARING" or not session:ready()
		post("/v1/calls/" .. token .. "/outcome", '{"leg":' .. leg .. ',"origin":"' .. (ours and "caller_hangup" or "callee_hangup") .. '"}')
		session:hangup("NORMAL_CLEARING")
		return
	end
	local code = tonumber((session:getVariable("last_bridge_proto_specific_hangup_cause") or ""):match("sip:(%d%d%d)") or "0")
	local body = '{"leg":' .. leg
	if code >= 300 then
		body = body .. ',"code":' .. code .. ',"phrase":' .. text(session:getVariable("sip_invite_failure_phrase"))
	else
		body = body .. ',"origin":"' .. (origins[cause] or "transport") .. '"'
	end
	answer = post("/v1/calls/" .. token .. "/outcome", body .. "}")
end
if member(answer, "action") == "wait" then -- the caller hung up meanwhile
	post("/v1/calls/" .. member(answer, "token") .. "/cancel", "{}")
end
if session:ready() then
	session:execute("respond", member(answer, "code") or "503")
end
