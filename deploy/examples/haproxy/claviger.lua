-- SPDX-License-Identifier: Apache-2.0
-- http-request lua.claviger ADDRESS HEADERS: asks Claviger at ADDRESS about the request, with those
-- of the client's HEADERS (names, separated by commas) as they came. The variable txn.claviger is
-- "permitted" afterwards when it may pass, and otherwise not: HAProxy goes on with the next rule
-- when this fails, so the next rule must look.
local identity = {"x-auth-subject", "x-auth-subject-type", "x-auth-subject-id", "x-auth-tenant",
                  "x-auth-permission", "x-auth-scope"}
local refusal = {"www-authenticate", "content-type", "x-request-id"}
local milliseconds = 2000

local function question(txn, names)
    local sent = txn.http:req_get_headers()
    local headers = {}
    for name in names:gmatch("[^,]+") do
        headers[name:lower()] = sent[name:lower()] -- each field of it
    end
    -- Last, so that no name above takes their place.
    headers["host"] = {sent["host"][0]}
    headers["x-forwarded-method"] = {txn.sf:method()}
    headers["x-forwarded-host"] = sent["host"]
    headers["x-forwarded-uri"] = {txn.sf:pathq()}
    headers["x-forwarded-for"] = {txn.sf:src()}
    return headers
end

local function permit(txn, answer)
    for _, name in ipairs(identity) do
        txn.http:req_set_header(name, answer.headers[name][0])
    end
    txn:set_var("txn.claviger", "permitted")
end

local function refuse(txn, answer)
    local reply = txn:reply({status = answer.status, body = answer.body})
    for _, name in ipairs(refusal) do
        if answer.headers[name] then
            reply:add_header(name, answer.headers[name][0])
        end
    end
    txn:done(reply)
end

core.register_action("claviger", {"http-req"}, function(txn, address, names)
    txn:set_var("txn.claviger", "asked")
    local answer = core.httpclient():get({
        url = "http://" .. address .. "/forward-auth", headers = question(txn, names),
        timeout = milliseconds})
    if answer.status == 200 then
        permit(txn, answer)
    elseif answer.status == 401 or answer.status == 403 then
        refuse(txn, answer)
    end
end, 2)
