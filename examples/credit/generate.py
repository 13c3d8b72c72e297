#!/usr/bin/env python3
"""Writes realistic loan applications as CSV. The same seed gives the same bytes on every machine.

Twenty-four months of applications with what real ones have: a long tail of incomes, rare purposes, missing values that
are not missing at random, a sensitive attribute, and a slow drift in the last six months (incomes rise, applications
move to the phone, and more of them default). Needs only Python's standard library.
"""
import argparse
import csv
import datetime
import math
import random

FIRST_DAY = datetime.date(2024, 1, 1)
DAY_COUNT = 731
DRIFT_BEGINS = 548  # the last six months

PURPOSES = [("debt_consolidation", 0.41), ("car", 0.18), ("home_improvement", 0.14), ("education", 0.09),
            ("medical", 0.08), ("wedding", 0.045), ("business", 0.04), ("moving", 0.012), ("boat", 0.002),
            ("renewable_energy", 0.001)]
PURPOSE_RISK = {"business": 0.55, "medical": 0.35, "debt_consolidation": 0.2, "car": -0.25, "wedding": -0.1,
                "home_improvement": -0.15, "boat": 0.3}
EMPLOYMENT = [("employed", 0.66), ("self_employed", 0.15), ("public_service", 0.11), ("retired", 0.05),
              ("unemployed", 0.03)]
EMPLOYMENT_RISK = {"self_employed": 0.3, "public_service": -0.45, "retired": -0.2, "unemployed": 1.1}
HOUSING = [("rent", 0.46), ("mortgage", 0.39), ("own", 0.14), ("other", 0.01)]
HOUSING_RISK = {"rent": 0.25, "mortgage": -0.1, "own": -0.35, "other": 0.5}
REGIONS = ["north", "south", "east", "west", "centre", "islands"]
REGION_SHARES = [0.23, 0.21, 0.19, 0.2, 0.155, 0.015]
COLUMNS = ["id", "applied_on", "age", "gender", "region", "employment", "employment_years", "income", "housing",
           "purpose", "amount", "term_months", "debt_to_income", "credit_lines", "utilisation", "late_payments",
           "months_since_last_late", "channel", "defaulted"]


def choose(rng, pairs):
    point = rng.random()
    for value, share in pairs:
        point -= share
        if point < 0:
            return value
    return pairs[0][0]


def make_row(rng, number, day):
    drift = max(0.0, (day - DRIFT_BEGINS) / (DAY_COUNT - DRIFT_BEGINS))
    age = int(min(78, max(18, rng.gauss(41, 12.5))))
    gender = "female" if rng.random() < 0.47 else "male"
    region = rng.choices(REGIONS, REGION_SHARES)[0]
    employment = choose(rng, EMPLOYMENT)
    years = max(0.0, min(age - 17.0, rng.expovariate(1 / 6.5)))
    income = math.exp(rng.gauss(10.55 + 0.006 * min(age, 55) + 0.012 * years, 0.45))
    income *= {"unemployed": 0.45, "retired": 0.7, "self_employed": 1.15}.get(employment, 1.0)
    income *= 0.93 if gender == "female" else 1.0
    income *= 1 + 0.12 * drift
    if rng.random() < 0.0008:
        income *= rng.choice([12, 100])  # typed in cents, or by somebody very rich
    housing = choose(rng, HOUSING)
    purpose = choose(rng, PURPOSES)
    amount = round(min(60000, max(1000, math.exp(rng.gauss(9.15, 0.65)))), -2)
    term = rng.choice([12, 24, 36, 36, 36, 48, 60, 60, 72])
    lines = min(30, int(rng.expovariate(1 / 5.5)))
    utilisation = min(1.3, max(0.0, rng.betavariate(1.6, 2.4) + (0.12 if lines < 2 else 0)))
    dti = min(0.95, max(0.0, rng.gauss(0.21, 0.11) + amount / max(income, 6000) * 0.18))
    late = 0
    while late < 8 and rng.random() < 0.13 + 0.12 * (late > 0):
        late += 1
    since_late = rng.randrange(1, 84) if late else None
    channel = choose(rng, [("mobile", 0.31 + 0.3 * drift), ("web", 0.44 - 0.15 * drift), ("branch", 0.2 - 0.12 * drift),
                           ("broker", 0.05)])

    score = -3.05 + 0.55 * drift
    score += 2.6 * dti + 1.5 * utilisation + 0.42 * min(late, 5)
    score -= 0.62 * math.log(max(income, 3000) / 42000)
    score += 0.5 * (amount > 20000) + 0.011 * (term - 36) + 0.45 * (age < 25) - 0.012 * max(0, age - 45)
    score += PURPOSE_RISK.get(purpose, 0) + EMPLOYMENT_RISK.get(employment, 0) + HOUSING_RISK[housing]
    score -= 0.05 * min(years, 12)
    score += 0.9 * (dti > 0.4) * (utilisation > 0.6)
    score += 0.35 * (channel == "broker") + (0.5 if since_late and since_late < 12 else 0)
    score = 1.75 * score + 0.85 + rng.gauss(0, 0.4)
    defaulted = rng.random() < 1 / (1 + math.exp(-score))

    hides_income = rng.random() < (0.14 if employment == "self_employed" else 0.02)
    return [f"A{number:06d}", (FIRST_DAY + datetime.timedelta(days=day)).isoformat(), age, gender, region, employment,
            "" if rng.random() < 0.06 else f"{years:.1f}", "" if hides_income else f"{income:.2f}", housing, purpose,
            f"{amount:.0f}", term, f"{dti:.4f}", lines, "" if lines == 0 else f"{utilisation:.4f}", late,
            "" if since_late is None else since_late, channel, "yes" if defaulted else "no"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=40000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    days = sorted(int(DAY_COUNT * rng.random() ** 0.9) for _ in range(arguments.rows))
    with open(arguments.out, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for number, day in enumerate(days, 1):
            writer.writerow(make_row(rng, number, min(day, DAY_COUNT - 1)))


if __name__ == "__main__":
    main()
