-- Health of every kind of sitewright.dev, which all follow kstatus: Stalled is given up, Reconciling is at work, Ready is done.
local health = {status = "Progressing", message = "waiting for the operator to see it"}
local status = obj.status
if status == nil or status.conditions == nil then
  return health
end
-- What the conditions say is of an older spec.
if status.observedGeneration ~= obj.metadata.generation then
  return health
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end
local function holds(type)
  return conditions[type] ~= nil and conditions[type].status == "True"
end

local ready = conditions["Ready"]
if ready ~= nil and ready.message ~= nil then
  health.message = ready.message
end
if holds("Stalled") then
  health.status = "Degraded"
  health.message = conditions["Stalled"].message or health.message
elseif ready ~= nil and ready.reason == "Suspended" then
  health.status = "Suspended"
elseif holds("Reconciling") then
  health.status = "Progressing"
elseif holds("Ready") then
  health.status = "Healthy"
elseif ready ~= nil and ready.status == "False" then
  health.status = "Degraded"
end
return health
