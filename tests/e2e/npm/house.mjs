// What the console shows and does: fleets, nodes, bills, and a mail that proves an address.
import assert from "node:assert/strict";
import { cloud, facts, op, orgId, refused, until } from "./kit.mjs";

const scale = (scaleUpThreshold) => ({ scaleUpThreshold });

export async function fleets() {
  const { fleetsV1: v1, fleetsV2: v2, nodesV1: nodes } = cloud;
  const shapes = await op("GetNodeShapes", v2.getNodeShapes());
  assert.ok(shapes.length >= 22);
  const config = { name: "arena", nodeShapeId: "shape-amd64-4-8", autoscalerConfig: scale(80) };
  const fleet = await op("CreateFleet", v2.createFleet(config));
  const { fleetId } = fleet;
  await op("UpdateFleet", v2.updateFleet(fleetId, { autoscalerConfig: scale(75), name: "arena-2" }));
  const found = await op("GetFleet", v2.getFleet(fleetId));
  assert.deepEqual([found.name, found.autoscalerConfig.scaleUpThreshold], ["arena-2", 75]);
  assert.deepEqual((await op("GetFleets", v2.getFleets())).fleets, [found]);

  await op("UpdateFleetRegion", v2.updateFleetRegion(fleetId, "Tokyo", { nodeBaseline: 2 }));
  const tokyo = await op("GetFleetRegion", v2.getFleetRegion(fleetId, "Tokyo"));
  assert.deepEqual([tokyo.nodeBaseline, tokyo.cloudMinVcpus, tokyo.scaleIncrementVcpus], [2, 8, 4]);
  assert.deepEqual(await op("GetFleetRegionDeprecated", v1.getFleetRegionDeprecated(fleetId, "Tokyo")), tokyo);
  await refused(429, /minutes|try again/, v2.updateFleetRegion(fleetId, "Tokyo", { nodeBaseline: 3 }));
  await op("DeprecatedUpdateFleetRegionV2", v2.deprecatedUpdateFleetRegionV2(fleetId, "London", { cloudMinVcpus: 4 }));
  await op("UpdateFleetRegionDeprecated", v1.updateFleetRegionDeprecated(fleetId, "Sydney", { cloudMinVcpus: 8 }));
  assert.equal((await v2.getFleetRegion(fleetId, "London")).nodeBaseline, 1);

  const old = await op(
    "CreateFleetDeprecated",
    v1.createFleetDeprecated({ name: "old", nodeShape: "cpu-8-16", autoscalerConfig: scale(90) }),
  );
  await op("UpdateFleetDeprecated", v1.updateFleetDeprecated(old.fleetId, { autoscalerConfig: scale(60) }));
  const told = await op("GetFleetDeprecated", v1.getFleetDeprecated(old.fleetId));
  assert.deepEqual([told.nodeShape, told.autoscalerConfig.scaleUpThreshold], ["cpu-8-16", 60]);
  const listed = await op("GetFleetsDeprecated", v1.getFleetsDeprecated());
  assert.deepEqual(listed.fleets.map((one) => one.fleetId).sort(), [fleetId, old.fleetId].sort());
  await refused(404, /./, v2.getFleet("fleet-none"));

  const metrics = ["provisionedTotal", "provisionedBareMetal", "provisionedCloud", "utilized", "systemOverhead"];
  const asked = { fleetId, metrics, step: 60 };
  for (const figures of [
    await op("GetFleetMetrics", v2.getFleetMetrics(asked)),
    await op("GetFleetRegionMetrics", v2.getFleetRegionMetrics({ ...asked, region: "Tokyo" })),
    await op("GetFleetMetricsDeprecated", v1.getFleetMetricsDeprecated(asked)),
    await op("GetFleetRegionMetricsDeprecated", v1.getFleetRegionMetricsDeprecated({ ...asked, region: "Tokyo" })),
  ])
    assert.deepEqual(Object.keys(figures).sort(), [...metrics].sort());

  // No machine is set aside for this fleet: it has the common ones.
  const provisioned = await op("ListProvisionedNodes", nodes.listProvisionedNodes(fleetId, orgId, "Tokyo"));
  assert.deepEqual(provisioned.map((one) => [one.nodeId, one.region]), facts.nodeIds.map((id) => [id, "Tokyo"]));
  const node = await op("GetNode", nodes.getNode(facts.nodeIds[0]));
  assert.equal(node.status, "running");
  assert.ok(node.startedAt instanceof Date && node.stoppedAt === null);
  await refused(404, /./, nodes.getNode("no-such-machine"));
}

export async function bills() {
  const { billingV1: billing } = cloud;
  await until("a bill", async () => {
    const { value } = await op("GetUpcomingInvoiceTotal", billing.getUpcomingInvoiceTotal());
    const { invoiceItems } = await op("GetUpcomingInvoiceItems", billing.getUpcomingInvoiceItems());
    const sum = invoiceItems.reduce((soFar, item) => soFar + item.amount - (item.discount ?? 0), 0);
    return value > 0 && Math.abs(sum - value) < 0.005; // between the two questions something may have been counted
  }, 90);
  assert.equal(typeof (await op("GetBalance", billing.getBalance())), "number");
  assert.deepEqual(await op("GetInvoices", billing.getInvoices()), []); // no month is over yet
  assert.deepEqual({ ...(await op("GetPaymentMethod", billing.getPaymentMethod())) }, {});
  const back = "https://studio.example/back?to=here";
  const link = await op("InitStripeCustomerPortalUrl", billing.initStripeCustomerPortalUrl({ returnUrl: back }));
  const page = await fetch(link);
  assert.equal(page.status, 200);
  assert.ok((await page.text()).includes("https://studio.example/back?to=here"));
  await refused(422, /returnUrl/, billing.initStripeCustomerPortalUrl({ returnUrl: "javascript:alert(1)" }));
}

export async function mails() {
  const asked = cloud.managementV1.sendVerificationEmail({ userId: facts.owner });
  assert.equal(await op("SendVerificationEmail", asked), "success");
  await refused(429, /./, cloud.managementV1.sendVerificationEmail({ userId: facts.owner }));
  assert.equal(await cloud.managementV1.sendVerificationEmail({ userId: "nobody@example.com" }), "success");
}
