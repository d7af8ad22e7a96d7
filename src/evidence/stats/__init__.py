"""Pure statistics: numbers in, frozen results out."""

from evidence.stats.absolute import AbsoluteEffect, absolute_effect
from evidence.stats.compare import Effect, compare
from evidence.stats.conditional import ConditionalEffects, conditional_logistic
from evidence.stats.e_value import EValue, e_value
from evidence.stats.exact import fisher_freeman_halton
from evidence.stats.fragility import Fragility, fragility
from evidence.stats.influence import SmallStudyTest, cumulative, egger, leave_one_out
from evidence.stats.means import (
    MeanDifference,
    anova_from_summary,
    f_p,
    holm,
    mean_difference,
    sd_from_interval,
    sd_from_se,
    se_from_sd,
    t_from_summary,
    t_p,
)
from evidence.stats.needed import NumberNeeded, number_needed
from evidence.stats.network import ASSUMED_TAU, Network, network
from evidence.stats.network_consistency import Contrast, NodeSplit, bucher, node_split, node_splits
from evidence.stats.network_data import arm_contrasts
from evidence.stats.network_ranking import PScores
from evidence.stats.peto import peto
from evidence.stats.pool import Pooled, PooledMany, pool, pool_many
from evidence.stats.pool_comparisons import PooledComparison, pool_comparisons
from evidence.stats.pool_proportions import PooledProportion, pool_proportions
from evidence.stats.proportion import Proportion, proportion
from evidence.stats.results import TestResult
from evidence.stats.strata import (
    CommonEffect,
    breslow_day,
    cochran_mantel_haenszel,
    heterogeneity,
    mantel_haenszel,
    tarone,
)
from evidence.stats.tables import (
    chi_square,
    chi_square_p,
    cochran_armitage,
    fisher_exact,
    likelihood_ratio,
)

__all__ = [
    "ASSUMED_TAU",
    "AbsoluteEffect",
    "CommonEffect",
    "ConditionalEffects",
    "Contrast",
    "EValue",
    "Effect",
    "Fragility",
    "MeanDifference",
    "Network",
    "NodeSplit",
    "NumberNeeded",
    "PScores",
    "Pooled",
    "PooledComparison",
    "PooledMany",
    "PooledProportion",
    "Proportion",
    "SmallStudyTest",
    "TestResult",
    "absolute_effect",
    "anova_from_summary",
    "arm_contrasts",
    "breslow_day",
    "bucher",
    "chi_square",
    "chi_square_p",
    "cochran_armitage",
    "cochran_mantel_haenszel",
    "compare",
    "conditional_logistic",
    "cumulative",
    "e_value",
    "egger",
    "f_p",
    "fisher_exact",
    "fisher_freeman_halton",
    "fragility",
    "heterogeneity",
    "holm",
    "leave_one_out",
    "likelihood_ratio",
    "mantel_haenszel",
    "mean_difference",
    "network",
    "node_split",
    "node_splits",
    "number_needed",
    "peto",
    "pool",
    "pool_comparisons",
    "pool_many",
    "pool_proportions",
    "proportion",
    "sd_from_interval",
    "sd_from_se",
    "se_from_sd",
    "t_from_summary",
    "t_p",
    "tarone",
]
