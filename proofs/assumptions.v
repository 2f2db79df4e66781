(* What the theorems rest on: Coq's axioms for the real numbers, and nothing of ours. The last line is the only one
   with more, the processor's integers, since those digits are computed. *)
From Coq Require Import Reals List.
From GradTheory Require Import chain two_point class_n interval sigmoid sharp identity corollaries neuron_width log_concave erf arctan angle softsign digits.

Print Assumptions gradient_is_derivative.
Print Assumptions two_point_chain.
Print Assumptions explosion_set_is_interval.
Print Assumptions sigmoid_explosion_set_is_interval.
Print Assumptions tanh_explosion_set_is_interval.
Print Assumptions s_unique.
Print Assumptions depth_never_widens.
Print Assumptions explosion_width.
Print Assumptions tanh_explosion_width.
Print Assumptions width_is_sharp.
Print Assumptions tanh_width_is_sharp.
Print Assumptions two_point_identity.
Print Assumptions at_most_one_input_explodes.
Print Assumptions log_concave_explosion_width.
Print Assumptions error_function_depth_never_widens.
Print Assumptions arctan_explosion_width.
Print Assumptions isru_depth_never_widens.
Print Assumptions softsign_explosion_width.
Print Assumptions softsign_neuron_width.
Print Assumptions softsign_widens.

(* Those on the way, all together. *)
Definition steps :=
  (two_point_composition, last_layer_bounds_chain, uniform_chain_bound, width_of_pair_bound, class_N_two_point,
   class_N_three_point, three_point_composition, three_point_chain, slope_above_between, K_is_the_greatest,
   sigmoid_pair_bound, sigmoid_last, tanh_pair_bound, tanh_depth_never_widens,
   (deeper_attains, attains_at_every_depth, K_cannot_be_lowered, log_concave_class_N, neuron_width_exists, neuron_width_is_sharp,
    log_concave_pair_bound, log_concave_depth_never_widens, log_concave_explosion_set_is_interval,
    log_concave_width_is_sharp, sigmoid_neuron_width, arctan_pair_bound, arctan_last, arctan_depth_never_widens,
    arctan_explosion_set_is_interval, arctan_width_is_sharp,
    (softsign_pair_bound, softsign_pairs, softsign_explosion_set_is_interval, softsign_neuron_width_is_sharp,
     softsign_linear_piece, softsign_widens_at_depth_two,
     (two_point_identity_squared, shrinkage_bounds, exact_width, explosion_here_means_vanishing_elsewhere,
      error_function_neuron_width, angle_pair_bound, isru_neuron_width, bias_window, weight_window, recurrent_window)))).
Print Assumptions steps.

(* Computed. *)
Definition computed := (s_digits, K_digits).
Print Assumptions computed.
