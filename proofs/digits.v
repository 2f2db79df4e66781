(* Twelve digits of the constant: 0.447743204694 < K < 0.447743204695, and s = 0.771702319209….

   K is bounded from below by the value of u/cosh² u at a decimal u next to s, since s gives the greatest. From above by
   interval arithmetic over an interval that holds s, since z tanh z increases. This is the only file that computes. *)
From Coq Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From Interval Require Import Tactic.
From GradTheory Require Import activations sigmoid.
Open Scope R_scope.

Lemma below_half : 0.7717023192091 * tanh 0.7717023192091 < / 2.
Proof. unfold tanh, sinh, cosh. interval with (i_prec 80). Qed.

Lemma above_half : / 2 < 0.7717023192092 * tanh 0.7717023192092.
Proof. unfold tanh, sinh, cosh. interval with (i_prec 80). Qed.

Theorem s_digits : 0.7717023192091 < s < 0.7717023192092.
Proof.
  pose proof s_equation as E. pose proof s_positive as P. split; apply Rnot_le_lt; intros [L | L].
  - pose proof (z_tanh_increasing s 0.7717023192091 ltac:(lra)). pose proof below_half. lra.
  - pose proof below_half. rewrite <- L in *. lra.
  - pose proof (z_tanh_increasing 0.7717023192092 s ltac:(lra)). pose proof above_half. lra.
  - pose proof above_half. rewrite L in *. lra.
Qed.

Theorem K_digits : 0.447743204694 < K < 0.447743204695.
Proof.
  split.
  - apply Rlt_le_trans with (0.7717023192092 / cosh 0.7717023192092 ^ 2).
    + unfold cosh. interval with (i_prec 80).
    + pose proof (cosh_pos 0.7717023192092) as P. apply (pow_lt _ 2) in P.
      apply (Rmult_le_reg_r _ _ _ P). unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra.
      rewrite Rmult_1_r. apply K_is_the_greatest.
  - destruct s_digits as [A B]. unfold K, cosh. set (z := s) in *. clearbody z. interval with (i_prec 80).
Qed.
