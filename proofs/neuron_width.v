(* The width of one neuron, K, for an activation with a positive, even slope: the least upper bound of 2u σ'(u), u ≥ 0.

   For {x : |w| σ'(wx + b) > c} is, where σ' falls away from 0, the set |wx + b| < u with σ'(u) = c/|w|, and 2u/|w| = 2u σ'(u)/c wide.
   A bounded activation of class N has such a K; and chains of every depth come arbitrarily close to the width K/c. *)
From Coq Require Import Reals Lra Psatz Lia Classical.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n activations sigmoid sharp.
Import ListNotations.
Open Scope R_scope.

Definition even (g : R -> R) := forall z, g (- z) = g z.

Definition neuron_width (a : activation) (K : R) := is_lub (fun k => exists u, 0 <= u /\ k = 2 * u * slope a u) K.

Theorem neuron_width_exists a B :
  class_N a -> even (slope a) -> (forall z, Rabs (value a z) <= B) -> exists K, neuron_width a K.
Proof.
  intros N E H. destruct (completeness (fun k => exists u, 0 <= u /\ k = 2 * u * slope a u)) as [K L].
  - exists (2 * B). intros k [u [U ->]].
    pose proof (class_N_two_point a N (- u) u) as T.
    rewrite E, !Rabs_pos_eq in T by (left; now apply class_N_slope_positive).
    pose proof (H u) as V. pose proof (H (- u)) as W. apply Rabs_le_between in V. apply Rabs_le_between in W.
    pose proof (class_N_monotone a (- u) u N ltac:(lra)) as I.
    pose proof (class_N_slope_positive a u N) as P.
    apply Rsqr_incr_0; unfold Rsqr; nra.
  - exists 0, 0. split; lra.
  - now exists K.
Qed.

Section Positive_even_slope.
  Variable a : activation.
  Hypothesis slope_positive : forall z, 0 < slope a z.
  Hypothesis slope_even : even (slope a).
  Variable K : R.
  Hypothesis K_is_neuron_width : neuron_width a K.

  Lemma neuron_width_bound u : Rabs (2 * u * slope a u) <= K.
  Proof.
    destruct K_is_neuron_width as [U _]. pose proof (slope_positive u) as P.
    destruct (Rle_dec 0 u) as [N | N].
    - rewrite Rabs_pos_eq by nra. apply U. now exists u.
    - rewrite Rabs_left by nra. apply U. exists (- u). rewrite slope_even. split; lra.
  Qed.

  Lemma neuron_width_positive : 0 < K.
  Proof.
    pose proof (neuron_width_bound 1) as B. pose proof (slope_positive 1) as P. rewrite Rabs_pos_eq in B; lra.
  Qed.

  Theorem neuron_width_is_sharp L : (forall z, continuous (slope a) z) -> (1 <= L)%nat -> attains a L K.
  Proof.
    intros C HL c eps Hc He.
    assert (U : exists u, 0 < u /\ K - c * eps / 2 < 2 * u * slope a u).
    { apply NNPP. intros N. destruct K_is_neuron_width as [_ Least].
      assert (D : 0 < c * eps) by nra. pose proof neuron_width_positive.
      assert (K <= Rmax (K - c * eps / 2) 0).
      { apply Least. intros k [u [[U | <-] ->]].
        - apply Rle_trans with (2 := Rmax_l _ _). apply Rnot_lt_le. intros L'. apply N. now exists u.
        - apply Rle_trans with (2 := Rmax_r _ _). lra. }
      revert H0. apply Rmax_case; lra. }
    destruct U as [u [U G]].
    destruct (attains_at_every_depth a 0 0 L (2 * u * slope a u) (Rgt_not_eq _ _ (slope_positive 0)) C
      (one_neuron_attains a u U (slope_positive u) (slope_even u)) HL c (eps / 2) Hc ltac:(lra))
      as (parameters & x & y & N & X & Y & W).
    exists parameters, x, y. split; [exact N | split; [exact X | split; [exact Y |]]].
    apply Rlt_trans with (2 := W). apply (Rmult_lt_reg_r c); [exact Hc |].
    replace ((K / c - eps) * c) with (K - c * eps) by (field; lra).
    replace ((2 * u * slope a u / c - eps / 2) * c) with (2 * u * slope a u - c * eps / 2) by (field; lra). lra.
  Qed.
End Positive_even_slope.
